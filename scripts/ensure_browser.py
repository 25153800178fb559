"""Make sure that a Chromium starts for the browser tests, and install one if none does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Error, sync_playwright

#: Commands that the tests accept, in their order of preference.
COMMANDS = ("chromium", "chromium-browser", "google-chrome")


def starts() -> bool:
    """Whether a browser of the system, or else Playwright's own, starts."""
    found = next(filter(None, map(shutil.which, COMMANDS)), None)
    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=found).close()
        except Error:
            return False
    return True


def _run(*command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, check=False, stdin=subprocess.DEVNULL)


def _as_root(*command: str) -> tuple[str, ...]:
    return command if os.geteuid() == 0 else ("sudo", "--non-interactive", *command)


def _download() -> None:
    _run(sys.executable, "-m", "playwright", "install", "chromium")


def _download_libraries() -> None:
    _run(sys.executable, "-m", "playwright", "install-deps", "chromium")


def _install_package() -> None:
    _run(*_as_root("apt-get", "update"))
    _run(*_as_root("apt-get", "install", "--yes", "--no-install-recommends", "chromium"))


def main() -> int:
    """Try one way after the other until a browser starts."""
    if starts():
        return 0
    ways: list[Callable[[], None]] = [_download]
    if os.geteuid() == 0 or shutil.which("sudo"):
        ways.append(_download_libraries)
        if shutil.which("apt-get"):
            ways.append(_install_package)
    for way in ways:
        way()
        if starts():
            return 0
    print("No browser starts: install chromium and run make again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
