"""Make sure that a Chromium starts for the browser tests, and install one if none does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

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


def main() -> int:
    """Try one way after the other until a browser starts."""
    root = () if os.geteuid() == 0 else ("sudo", "--non-interactive")
    playwright = (sys.executable, "-m", "playwright")
    if starts():
        return 0
    if _run(*playwright, "install", "chromium"):
        if starts():
            return 0
        # A bare system lacks the libraries that the browser needs.
        _run(*playwright, "install-deps", "chromium")
        if starts():
            return 0
    _run(*root, "apt-get", "update")
    _run(*root, "apt-get", "install", "--yes", "--no-install-recommends", "chromium")
    if starts():
        return 0
    print("No browser starts. Install chromium, then run make again.", file=sys.stderr)
    return 1


def _run(*command: str) -> bool:
    """Run a program, if there is one of that name, and return whether it succeeded."""
    print("+", *command, flush=True)
    try:
        return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
