"""The server under load, and the processor time it takes."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

HOST = "127.0.0.1"

APPLICATION = "benchmarks.site.wsgi:application"


def server_name() -> str:
    """Which server runs: granian where it is installed, else gunicorn."""
    return "granian" if importlib.util.find_spec("granian") else "gunicorn"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(port: int, workers: int, threads: int, environment: dict[str, str]) -> Iterator[int]:
    """Run the site for a while.

    Args:
        port: to listen at.
        workers: processes.
        threads: in each.
        environment: variables on top of our own.

    Yields:
        the id of the server's process.

    Raises:
        RuntimeError: it does not start; with what it had to say.
    """
    if server_name() == "granian":
        command = ["granian", "--interface", "wsgi", "--host", HOST, "--port", str(port)]
        command += ["--workers", str(workers), "--blocking-threads", str(threads)]
        command += ["--log-level", "warning", APPLICATION]
    else:
        command = ["gunicorn", "--worker-class", "gthread", "--bind", f"{HOST}:{port}"]
        command += ["--workers", str(workers), "--threads", str(threads), "--keep-alive", "60"]
        command += ["--log-level", "warning", APPLICATION]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _listens(port, process):
                log.seek(0)
                raise RuntimeError(f"the server does not start:\n{log.read().decode()}")
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.1)
    return False


def cpu_seconds(server: int, backends: list[int]) -> tuple[float, float] | None:
    """The processor time that the server, and PostgreSQL's processes for it, have taken so far.

    Args:
        server: its process; the children count.
        backends: PostgreSQL's processes, as it calls them itself.

    Returns:
        None where the system does not tell (only Linux does). The second figure is 0 when
        PostgreSQL runs somewhere else.
    """
    stats = _process_stats()
    if server not in stats:
        return None
    family, added = {server}, True
    while added:
        children = {pid for pid, stat in stats.items() if stat[1] in family} - family
        family |= children
        added = bool(children)
    ours = sum(stats[pid][2] for pid in family)
    return ours, sum(
        stats[pid][2] for pid in backends if pid in stats and stats[pid][0].startswith("postgres")
    )


def rest(server: int, backends: list[int]) -> None:
    """Wait until the server has finished what clients that are gone had asked for."""
    for _ in range(100):
        before = cpu_seconds(server, backends)
        time.sleep(0.1)
        after = cpu_seconds(server, backends)
        if before is None or after is None or sum(after) - sum(before) < 0.02:
            break


def _process_stats() -> dict[int, tuple[str, int, float]]:
    """The name, the parent and the processor time of every process."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            content = path.read_text()
        except OSError:
            continue
        name = content[content.index("(") + 1 : content.rindex(")")]
        rest = content[content.rindex(")") + 2 :].split()
        seconds = (int(rest[11]) + int(rest[12])) / os.sysconf("SC_CLK_TCK")
        stats[int(path.parent.name)] = (name, int(rest[1]), seconds)
    return stats
