"""``%mlops``: the command tree in a cell.

``%load_ext jupyter_mlops`` works in a kernel that has IPython and this package alone: then the
commands are carried out by the Python of the project's worker.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from IPython.core.completer import (
    CompletionContext,
    SimpleCompletion,
    SimpleMatcherResult,
    context_matcher,
)

from . import foreign
from .core.exceptions import MlopsError

if TYPE_CHECKING:
    from .results import PipelineResult, SweepResult

#: A line with the magic, perhaps behind an assignment, and what follows it.
_LINE = re.compile(r"^\s*(?:[\w.,\s\[\]]+=\s*)?%mlops\s(.*)$", re.DOTALL)

#: What the commands need beyond IPython.
_NEEDED = ("click", "msgspec", "psutil", "rich")


def load(ipython: Any) -> None:
    """Add ``%mlops`` and its completion to an IPython shell."""
    ipython.register_magic_function(mlops, magic_kind="line_cell", magic_name="mlops")
    if _complete not in ipython.Completer.custom_matchers:
        ipython.Completer.custom_matchers.append(_complete)


def unload(ipython: Any) -> None:
    """Take ``%mlops`` away again."""
    for kind in ("line", "cell"):
        ipython.magics_manager.magics[kind].pop("mlops", None)
    if _complete in ipython.Completer.custom_matchers:
        ipython.Completer.custom_matchers.remove(_complete)


def mlops(line: str, cell: str | None = None) -> Any:
    """Run notebooks over parameters, track the runs, register models: see ``%mlops --help``.

    ``%%mlops feature MODULE`` writes the functions below it into a module of features.
    """
    arguments = split(line)
    if cell is not None:
        if arguments[:1] != ["feature"]:
            raise CellError("Only %%mlops feature MODULE has a body. Write %mlops with one sign.")
        arguments = ["features", "define", *arguments[1:]]
    if has_dependencies():
        return _Cell(cell).call(arguments)
    try:
        foreign.call(arguments, cell)
    except MlopsError as error:
        raise CellError(error.message) from None
    return None


def split(line: str) -> list[str]:
    """Split a line into arguments by the shell's rules. Raises `CellError`."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise CellError(f"{error}: close the quotes.") from None


def has_dependencies() -> bool:
    """Whether the commands can be carried out in this process."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


class CellError(MlopsError):
    """The command failed. The cell shows one line, and fails for whoever executes the notebook."""


class _Cell:
    """The face of a cell."""

    prefix = "%"
    is_cell = True

    def __init__(self, body: str | None = None) -> None:
        self.body = body
        self.json = False
        self.debug = False
        self.failed = False
        self.exit_code: int | None = None

    def note(self, text: str) -> None:
        """Print a line."""
        stream = sys.stderr if self.json else sys.stdout
        stream.write(f"{text}\n")

    def confirm(self, question: str) -> bool:
        """A cell that is executed means it."""
        return bool(question)

    def ask(self, question: str) -> bool | None:
        """Nobody answers a cell."""
        return None

    def follow(self, sweep: SweepResult) -> bool:
        """Show progress in place; an interrupt leaves the runs to the worker."""
        sweep.wait(progress=not self.json)
        return sweep.view.status.finished

    def follow_pipeline(self, pipeline: PipelineResult) -> bool:
        """Print a line for each stage that ends; an interrupt leaves the rest to the worker."""
        from .reports.pipelines import progress_lines

        try:
            for update in pipeline.updates():
                for line in progress_lines(update):
                    self.note(line)
        except KeyboardInterrupt:
            self.note(f"The pipeline goes on. Cancel it with: %mlops pipeline cancel {pipeline.id}")
            return False
        return True

    def call(self, arguments: Sequence[str]) -> Any:
        """Carry out a command and return its result for IPython to show."""
        import click

        from .commands.errors import describe
        from .commands.tree import tree

        try:
            result = tree.main(
                args=list(arguments), prog_name="%mlops", standalone_mode=False, obj=self
            )
        except click.exceptions.NoArgsIsHelpError as error:
            error.show(sys.stdout)
            return None
        except Exception as error:
            if self.debug:
                raise
            line = describe(error)[0].replace("jupyter mlops", "%mlops")
            raise CellError(line) from None
        return None if isinstance(result, int) else self._shown(result)

    def _shown(self, result: Any) -> Any:
        if not self.json or result is None:
            return result
        from .commands.printing import json_text

        sys.stdout.write(json_text(result.record()) + "\n")
        return None


# -- completion ------------------------------------------------------------------------------------


@context_matcher()  # type: ignore[untyped-decorator]  # IPython does not type it
def _complete(context: CompletionContext) -> SimpleMatcherResult:
    """Complete commands, options, notebooks and parameters as the shell does."""
    match = _LINE.match(context.text_until_cursor)
    if match is None or not has_dependencies():
        return {"completions": []}
    from click.shell_completion import ShellComplete

    from .commands.tree import tree

    words = _tolerant_split(match[1])
    incomplete = "" if not words or match[1][-1:].isspace() else words.pop()
    found = ShellComplete(tree, {}, "%mlops", "").get_completions(words, incomplete)
    # For a file of any kind the shell, and here IPython, knows best.
    completions = [
        SimpleCompletion(item.value, type="param") for item in found if item.type == "plain"
    ]
    return {
        "completions": completions,
        "matched_fragment": incomplete,
        "suppress": bool(completions),
        "ordered": True,
    }


def _tolerant_split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
