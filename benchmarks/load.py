"""Sending requests as fast as the server answers: with wrk where it is installed, else threads."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """The outcome of one run.

    Attributes:
        rate: requests a second.
        requests: how many the server had to work on, those still under way at the end included.
        p50: the median time of a request, in seconds.
        p95: what 95 of 100 requests stayed under, in seconds.
    """

    rate: float
    requests: int
    p50: float
    p95: float


def generator() -> str:
    """What sends the requests."""
    return "wrk" if shutil.which("wrk") else "threads"


def run(address: tuple[str, int], file: Path, seconds: int, connections: int, offset: int) -> Load:
    """Send a file's requests for a while.

    Args:
        address: of the server.
        file: of requests, separated by null bytes; sent in turn, again and again.
        seconds: how long.
        connections: how many at once.
        offset: which request to begin with.

    Raises:
        RuntimeError: a request failed.
    """
    send = _run_wrk if generator() == "wrk" else _run_threads
    return send(address, file, seconds, connections, offset)


def answer(address: tuple[str, int], request: bytes) -> tuple[int, bytes]:
    """The status and body of the answer to one request."""
    with socket.create_connection(address, timeout=60) as connection:
        return _exchange(connection, request)


def _run_wrk(
    address: tuple[str, int], file: Path, seconds: int, connections: int, offset: int
) -> Load:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s"]
    command += ["-s", str(SCRIPT), "http://{}:{}/".format(*address), "--", str(file), str(offset)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["failed"]:
        raise RuntimeError(f"{result['failed']} requests of {file.stem} failed")
    rate = result["requests"] / result["seconds"]
    # At the end wrk leaves one request of each connection unanswered.
    return Load(rate, result["requests"] + connections, result["p50"], result["p95"])


def _run_threads(
    address: tuple[str, int], file: Path, seconds: int, connections: int, offset: int
) -> Load:
    requests = file.read_bytes().split(b"\0")
    times: list[float] = []
    failures: list[int] = []
    end = time.perf_counter() + seconds

    def client(place: int) -> None:
        with socket.create_connection(address, timeout=60) as connection:
            while (begin := time.perf_counter()) < end:
                status, _ = _exchange(connection, requests[place % len(requests)])
                times.append(time.perf_counter() - begin)
                if status >= 400:
                    failures.append(status)
                place += connections

    begin = time.perf_counter()
    threads = [
        threading.Thread(target=client, args=(offset + number,)) for number in range(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures or not times:
        raise RuntimeError(f"requests of {file.stem} failed: {sorted(set(failures))}")
    times.sort()
    return Load(
        rate=len(times) / (time.perf_counter() - begin),
        requests=len(times),
        p50=times[len(times) // 2],
        p95=times[int(len(times) * 0.95)],
    )


def _exchange(connection: socket.socket, request: bytes) -> tuple[int, bytes]:
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    lengths = [int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")]
    while len(body) < sum(lengths):
        body += _receive(connection)
    return int(lines[0].split()[1]), body


def _receive(connection: socket.socket) -> bytes:
    if not (chunk := connection.recv(65_536)):
        raise ConnectionError("the server hung up")
    return chunk
