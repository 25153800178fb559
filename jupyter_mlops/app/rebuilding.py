"""The place in which a version is built again: its commit, changes, data and environment.

It lies outside the project and has a worker of its own, so that nothing of the project is used that
a fresh clone would not have.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core import formats
from ..core.exceptions import Conflict, NotFound
from ..tracking.data import Hashes, hash_tree
from . import records

#: Name of the kernel that stands for the recorded environment.
KERNEL = "mlops-reproduce"
#: Packages that cannot be fetched by name and version because they are this one.
_OURS = "jupyter-mlops"


class Workplace:
    """A clean worktree with what a version was made from. Raises `NotFound`, `Conflict`."""

    def __init__(
        self,
        folder: Path,
        record: Path,
        facts: Mapping[str, Mapping[str, Any]],
        note: Callable[[str], None],
    ) -> None:
        """``record`` is the version's, ``facts`` its card's by part; ``note`` is told of steps."""
        self._folder = folder
        self.record = record
        self._facts = facts
        self._note = note
        #: What could not be as it was, a line each.
        self.remarks: list[str] = []
        git = facts["generation"].get("git") or {}
        self._commit = git.get("commit")
        self._prefix = git.get("folder") or ""
        self.tree = folder / "tree"

    @property
    def notebook(self) -> Path:
        """The notebook, as it was."""
        # The prefix is that of the notebook's folder; the project's root lies above it.
        name = Path(str(self._facts["generation"]["notebook"])).name
        return self.tree / self._prefix / name

    @property
    def root(self) -> Path:
        """The project's folder in the worktree."""
        depth = len(Path(str(self._facts["generation"]["notebook"])).parts) - 1
        found = self.tree / self._prefix
        for _ in range(depth):
            found = found.parent
        return found

    def check_out(self) -> None:
        """Check out the commit, apply what was not committed, and put the notebook there."""
        if not self._commit:
            raise NotFound("The card names no commit, so its code cannot be had again.")
        known = _git(self.record, "cat-file", "-e", f"{self._commit}^{{commit}}")
        if known is not None:
            raise NotFound(
                f"The commit {self._commit[:10]} is not in this repository. "
                "Fetch it first: git fetch --unshallow"
            )
        self._note(f"Checking out {self._commit[:10]}")
        _demand(_git(self.record, "worktree", "add", "--detach", str(self.tree), self._commit))
        diff = self.record / records.DIFF
        if diff.is_file():
            _demand(_git(self.tree, "apply", "--binary", "--whitespace=nowarn", str(diff)))
        elif ((self._facts["generation"].get("git") or {}).get("changes") or {}).get("patch"):
            raise NotFound(f"The record has no {records.DIFF}. Register the run again.")
        notebook = self.record / records.NOTEBOOK
        if not notebook.is_file():
            raise NotFound(f"The record has no {records.NOTEBOOK}. Register the run again.")
        self.notebook.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook, self.notebook)
        if not (self.root / "mlops.toml").exists():
            (self.root / "mlops.toml").touch()

    def bring_data(self) -> None:
        """Bring the data by DVC, in the versions that the card names; check their hashes."""
        files = self._facts["data"].get("files") or []
        if files:
            self._note(f"Bringing {formats.counted(len(files), 'file')} of data")
        wanted = [each for each in files if each.get("kept_by") == "dvc"]
        if wanted:
            _lend_cache(self.record, self.tree)
        hashes = Hashes()
        missing = []
        for each in files:
            place = self.root / each["path"]
            if each.get("kept_by") == "dvc":
                self._pull(each)
            elif each.get("kept_by") == records.RECORD:
                self._take_from_record(each, place)
            if not place.exists():
                missing.append(f"{each['path']} is missing")
            elif each.get("sha256") and hash_tree(place, hashes)[0] != each["sha256"]:
                missing.append(f"{each['path']} is not the version that the model was made from")
        if missing:
            raise NotFound(
                f"{'; '.join(missing)}. Bring the data back to a DVC remote, then: dvc pull"
            )

    def _pull(self, file: Mapping[str, Any]) -> None:
        source = str(file["dvc_file"])
        target = source if source.endswith(".dvc") else str(file["path"])
        _fetch(self.root, target)

    def _take_from_record(self, file: Mapping[str, Any], place: Path) -> None:
        """Copy data that nothing else keeps out of the version's record."""
        kept = self.record / records.DATA / file["path"]
        if not kept.exists() and (self.record / f"{records.DATA}.dvc").is_file():
            _fetch(self.record, f"{records.DATA}.dvc")
        if kept.is_dir():
            shutil.copytree(kept, place, dirs_exist_ok=True)
        elif kept.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, place)

    def make_environment(self) -> str:
        """Make the recorded environment with uv, or venv and pip; return its Python."""
        facts = self._facts["dependencies"]
        requirements = self.record / records.REQUIREMENTS
        if not requirements.is_file():
            raise NotFound("The record has no list of packages. Use --here for the present ones.")
        text = requirements.read_text("utf-8").splitlines()
        lines = [line for line in text if not line.startswith(f"{_OURS}==")]
        wanted = self._folder / "requirements.txt"
        wanted.write_text("\n".join(lines) + "\n", "utf-8")
        self._note(f"Installing Python {facts['python']} and {len(lines)} packages")
        for name, source in (facts.get("sources") or {}).items():
            if not source.startswith("git+") and name != _OURS:
                self.remarks.append(
                    f"{name} was installed from elsewhere ({source}) and is left out"
                )
        environment = self._folder / "env"
        python = environment / "bin" / "python"
        _install(environment, python, str(facts["python"]), wanted)
        overlay = self._folder / "own"
        overlay.mkdir()
        (overlay / "jupyter_mlops").symlink_to(Path(__file__).parents[1])
        found = next(environment.glob("lib/python*/site-packages"))
        (found / "jupyter_mlops_reproduce.pth").write_text(f"{overlay}\n", "utf-8")
        _write_kernel(self._folder / "jupyter" / "kernels" / KERNEL, python)
        return str(python)

    @contextmanager
    def as_environment(self) -> Iterator[None]:
        """Let what is started meanwhile know our kernel, and nothing of the project's tracking."""
        before = dict(os.environ)
        path = os.pathsep.join(
            filter(None, (str(self._folder / "jupyter"), os.environ.get("JUPYTER_PATH")))
        )
        os.environ["JUPYTER_PATH"] = path
        for name in ("JUPYTER_MLOPS_STATE_DIR", "MLFLOW_TRACKING_URI", "JUPYTER_MLOPS_ATTEMPT"):
            os.environ.pop(name, None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def remove(self) -> None:
        """Remove the worktree and all else."""
        _git(self.record, "worktree", "remove", "--force", str(self.tree))
        shutil.rmtree(self._folder, ignore_errors=True)
        _git(self.record, "worktree", "prune")


def _install(environment: Path, python: Path, version: str, wanted: Path) -> None:
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is not None:
        _demand(_run(environment.parent, uv, "venv", "--python", version, str(environment)))
        install = (uv, "pip", "install", "--python", str(python), "--no-deps")
        packages = ("--requirement", str(wanted))
        # What was installed here before needs no network.
        if _run(environment.parent, *install, "--offline", *packages) is not None:
            _demand(_run(environment.parent, *install, *packages))
        return
    if not version.startswith(f"{sys.version_info.major}.{sys.version_info.minor}."):
        raise NotFound(
            f"Python {version} is not here. Install uv, which fetches it, or use --here."
        )
    _demand(_run(environment.parent, sys.executable, "-m", "venv", str(environment)))
    # It is used once: what of it is imported is compiled then.
    pip = (str(python), "-m", "pip", "install", "--no-compile", "--no-deps")
    _demand(_run(environment.parent, *pip, "--requirement", str(wanted)))


def _write_kernel(folder: Path, python: Path) -> None:
    folder.mkdir(parents=True)
    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Recorded environment",
        "language": "python",
    }
    (folder / "kernel.json").write_text(json.dumps(spec), "utf-8")


def _fetch(folder: Path, target: str) -> None:
    """Have DVC put a file there: out of its cache, or else from its remote."""
    if records.dvc(folder, "checkout", "--quiet", "--force", target) is not None:
        # What is missing afterwards is told with the names of the files.
        records.dvc(folder, "pull", "--quiet", "--force", target)


def _lend_cache(record: Path, tree: Path) -> None:
    """Let DVC in the worktree use the cache and the remotes of the repository it belongs to."""
    root = records.dvc_root(record)
    top = Path(_told(record, "rev-parse", "--show-toplevel"))
    if root is None:
        return
    there = tree / root.relative_to(top) / ".dvc"
    if not there.is_dir():
        return
    local = configparser.ConfigParser(interpolation=None)
    for name in ("config", "config.local"):
        local.read(root / ".dvc" / name, "utf-8")
    if not local.has_section("cache"):
        local.add_section("cache")
    cache = local.get("cache", "dir", fallback="cache")
    local.set("cache", "dir", str((root / ".dvc" / cache).resolve()))
    for section in local.sections():
        url = local.get(section, "url", fallback="")
        if url and "://" not in url and not url.startswith("/") and ":" not in url:
            local.set(section, "url", str((root / ".dvc" / url).resolve()))
    with (there / "config.local").open("w", encoding="utf-8") as file:
        local.write(file)


def _told(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _git(folder: Path, *arguments: str) -> str | None:
    return _run(folder, "git", "-c", f"core.hooksPath={os.devnull}", *arguments)


def _run(folder: Path, *command: str) -> str | None:
    """Run a program; return its complaint in one line, or None."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words and paths, no shell
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        return f"{Path(command[0]).name} cannot be run: {error.strerror}"
    lines = _lines(done.stdout)
    return None if not done.returncode else f"{Path(command[0]).name}: {' '.join(lines)}"


def _lines(text: str) -> Sequence[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-3:] or ["it failed"]


def _demand(complaint: str | None) -> None:
    if complaint is not None:
        raise Conflict(complaint)
