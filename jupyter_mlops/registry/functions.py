"""Functions of a notebook with all that they need, as files that another process can import.

What a notebook defines becomes source text; what the project's own modules define is imported from
copies of them; a value that neither plain text nor an import can make is pickled beside them.
"""

from __future__ import annotations

import ast
import dis
import inspect
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..core.exceptions import InvalidInput

#: The module that is made, and the file with pickled values beside it.
MODULE = "mlops_functions.py"
STATE = "state.pkl"

#: Instructions that look up a name of a module; within a class body the second does.
_LOOKS_UP = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})

_HEADER = '"""What the model does before and after its weights, as the notebook had it."""\n'
_LOAD_STATE = (
    "import pathlib\nimport pickle\n\n"
    f'with pathlib.Path(__file__).with_name("{STATE}").open("rb") as _file:\n'
    "    _state = pickle.load(_file)\n"
)


class Gathered:
    """Functions, by the names that they get, and what they need."""

    def __init__(self, functions: Mapping[str, Callable[..., Any]], root: Path) -> None:
        """``root`` is the project's: modules below it are copied, others are installed."""
        self._root = root.resolve()
        self._imports: list[str] = []
        self._body: list[str] = []
        self._done: dict[str, object] = {}
        #: Values that are pickled, by name.
        self.state: dict[str, Any] = {}
        #: The project's own modules that are needed, by name.
        self.modules: dict[str, Path] = {}
        #: Installed packages that are imported.
        self.packages: set[str] = set()
        for name, function in functions.items():
            self._add(name, function)

    def need(self, modules: Iterable[str]) -> None:
        """Take note of further modules that must be there."""
        self._need_names(modules)

    def write(self, functions: Path, code: Path) -> None:
        """Write the module and its values to one folder, the project's modules to another."""
        functions.mkdir(parents=True, exist_ok=True)
        parts = [_HEADER, *self._imports, _LOAD_STATE if self.state else "", *self._body]
        text = "\n".join(part for part in parts if part) + "\n"
        (functions / MODULE).write_text(text, "utf-8")
        if self.state:
            import cloudpickle

            with (functions / STATE).open("wb") as file:
                cloudpickle.dump(self.state, file)
        for name, path in self.modules.items():
            code.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
                shutil.copytree(path, code / name, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copyfile(path, code / path.name)

    def _add(self, name: str, value: Any) -> None:
        if name in self._done:
            if self._done[name] is not value:
                raise InvalidInput(
                    f"{name}: the functions need two different things of this name. Rename one.",
                    field=name,
                )
            return
        self._done[name] = value
        if isinstance(value, ModuleType):
            self._need(value)
            self._imports.append(f"import {value.__name__} as {name}")
        elif (module := _home(value)) is not None:
            self._need(module)
            self._imports.append(f"from {module.__name__} import {value.__qualname__} as {name}")
        elif isinstance(value, FunctionType) and _is_plain_function(value):
            self._add_function(name, value)
        elif _is_literal(value):
            self._body.append(f"{name} = {value!r}\n")
        else:
            self.state[name] = value
            self._body.append(f"{name} = _state[{name!r}]\n")

    def _add_function(self, name: str, function: FunctionType) -> None:
        source = textwrap.dedent(inspect.getsource(function))
        tree = ast.parse(source)
        names = _globals_of(function.__code__) | _names_of_head(tree)
        self._done[function.__name__] = function
        for each in sorted(names & function.__globals__.keys() - {function.__name__}):
            self._add(each, function.__globals__[each])
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._need_names(each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                self._need_names([node.module])
        self._body.append(f"{source}\n")
        if function.__name__ != name:
            self._body.append(f"{name} = {function.__name__}\n")

    def _need_names(self, names: Iterable[str]) -> None:
        for name in names:
            module = sys.modules.get(name)
            if module is not None:
                self._need(module)

    def _need(self, module: ModuleType) -> None:
        """Take note of a module that must be there, and of those that it imports."""
        top = module.__name__.partition(".")[0]
        path = _file_of(sys.modules.get(top, module))
        if path is None or not _is_below(path, self._root):
            if top not in sys.stdlib_module_names:
                self.packages.add(top)
            return
        if top in self.modules:
            return
        self.modules[top] = path.parent if path.name == "__init__.py" else path
        files = self.modules[top].rglob("*.py") if self.modules[top].is_dir() else [path]
        for each in files:
            self._need_names(_imported(each))


def source_of(function: Callable[..., Any]) -> str | None:
    """Return a function's source as its author wrote it; None if nobody knows it."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return None


def check_arguments(name: str, function: Callable[..., Any], count: int) -> None:
    """Raise `InvalidInput` unless a function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        form = {1: "featurize(requests)", 2: "predict(model, features)"}[count]
        raise InvalidInput(
            f"{name}: write it so that it can be called as {form}.", field=name
        ) from None


def _globals_of(code: CodeType) -> set[str]:
    """Return the names that code, with the functions in it, looks up outside of them."""
    found = {each.argval for each in dis.get_instructions(code) if each.opname in _LOOKS_UP}
    return found.union(*(_globals_of(each) for each in code.co_consts if type(each) is CodeType))


def _names_of_head(tree: ast.Module) -> set[str]:
    """Return the names that a function's decorators, defaults and annotations have."""
    function: Any = tree.body[0]
    body = {id(each) for statement in function.body for each in ast.walk(statement)}
    heads = (each for each in ast.walk(function) if id(each) not in body)
    return {each.id for each in heads if isinstance(each, ast.Name)}


def _home(value: Any) -> ModuleType | None:
    """Return the module from which a function or class can be imported by its name."""
    module = sys.modules.get(getattr(value, "__module__", None) or "")
    name = getattr(value, "__qualname__", "")
    if module is None or module.__name__ == "__main__" or not name.isidentifier():
        return None
    return module if getattr(module, name, None) is value else None


def _is_plain_function(function: FunctionType) -> bool:
    """Whether its source makes it anew: it has a name, and nothing of an enclosing function."""
    named = function.__name__.isidentifier() and function.__closure__ is None
    return named and source_of(function) is not None and not hasattr(function, "__wrapped__")


def _is_literal(value: Any) -> bool:
    try:
        made = ast.literal_eval(repr(value))
        return type(made) is type(value) and bool(made == value)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False


def _file_of(module: ModuleType) -> Path | None:
    path = getattr(module, "__file__", None)
    return Path(path).resolve() if path else None


def _is_below(path: Path, root: Path) -> bool:
    installed = {"site-packages", "dist-packages"}
    return path.is_relative_to(root) and not installed & set(path.parts)


def _imported(path: Path) -> list[str]:
    """Return the names of the modules that a file imports."""
    found: list[str] = []
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return found
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append(node.module)
    return found
