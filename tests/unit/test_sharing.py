"""Which cells can be executed once for all runs: what their text tells."""

from __future__ import annotations

import pytest

from jupyter_mlops.notebooks.sharing import CodeCell, Sharing, State, analyse, code_cells

PARAMETERS = "parameters: depth: int = 3"


def analysed(*cells: str, given: tuple[str, ...] = ()) -> Sharing:
    """Analyse cells; a word of ``shared``, ``parameters``… and a colon before one is its tag."""
    made = []
    for cell in cells:
        tag, colon, source = cell.partition(": ")
        is_tag = colon and tag in ("shared", "parameters", "injected-parameters", "skipped")
        name = "skip-execution" if tag == "skipped" else tag
        tags = frozenset({name} | ({"shared"} if tag == "skipped" else set()))
        made.append(CodeCell(source=source, tags=tags) if is_tag else CodeCell(source=cell))
    return analyse(made, given)


def states(sharing: Sharing) -> list[str]:
    """The state of each cell."""
    return [each.state.value for each in sharing.cells]


def test_reads_the_notebook() -> None:
    """Code cells are counted without the others; a source may be a list of lines."""
    cells = code_cells(
        [
            {"cell_type": "markdown", "source": "shared", "metadata": {"tags": ["shared"]}},
            {"cell_type": "code", "source": ["x = 1\n", "y = 2"], "metadata": {"tags": ["shared"]}},
            {"cell_type": "code", "source": "z = 3", "metadata": {}},
        ]
    )
    assert cells == [
        CodeCell(source="x = 1\ny = 2", tags=frozenset({"shared"})),
        CodeCell(source="z = 3"),
    ]


def test_shares_what_a_tagged_cell_needs() -> None:
    """Imports, functions and data that a tagged cell reads are shared too, and nothing else."""
    sharing = analysed(
        "import pandas as pd",
        PARAMETERS,
        "def load(): return pd.read_csv(NAME)",
        "NAME = 'x.csv'",
        "unrelated = 1",
        "shared: df = load()",
        "print(df, depth)",
    )
    assert sharing.shared == (0, 2, 3, 5)
    assert sharing.cells[0].why == "is shared too, since cell 6 needs it"
    assert sharing.cells[4].state is State.FREE
    assert sharing.refusals == ()


def test_refuses_what_depends_on_a_parameter() -> None:
    """The parameter is named, with the names and cells that lead from it."""
    direct = analysed(PARAMETERS, "shared: data = load(depth)")
    assert direct.refusals == (
        (
            "Cell 2 is tagged shared but depends on the parameter depth. "
            "Remove the tag, or the dependency."
        ),
    )
    through = analysed(PARAMETERS, "import math", "X = math.sqrt(depth)", "shared: y = X + 1")
    assert through.refusals == (
        (
            "Cell 4 is tagged shared but depends on the parameter depth through X (cell 3). "
            "Remove the tag, or the dependency."
        ),
    )
    assert through.shared == ()
    two = analysed("parameters: a = 1\nb = 2", "x = a", "z = x + b", "shared: z")
    assert "on the parameters a and b through x (cell 2) and z (cell 3)" in two.refusals[0]


@pytest.mark.parametrize(
    "cell",
    [
        "def f():\n    return depth",
        "class C:\n    size = depth",
        "class C:\n    def m(self):\n        return self.x + depth",
        "f = lambda: depth",
        "[i for i in range(depth)]",
        "def f(n=depth): ...",
        "@register(depth)\ndef f(): ...",
        "x: depth = 1",
        "f'{depth}'",
        "await go(depth)",
        "depth += 1",
        "table[depth] = 1",
        "def outer():\n    def inner():\n        return depth\n    return inner",
        "!ls {folder[depth]}",
        "!echo $depth",
        "files = !ls {depth}",
        "%time df = load(depth)",
        "%%time\nload(depth)",
        "if True:\n    %cd {depth}",
        "for i in range(3):\n    with open(depth) as f:\n        pass",
        "try:\n    1 / 0\nexcept depth:\n    pass",
        "match depth:\n    case 1: pass",
    ],
)
def test_finds_every_way_to_read_a_parameter(cell: str) -> None:
    """A parameter is found wherever it is read as a name of the notebook."""
    assert states(analysed(PARAMETERS, cell)) == ["parameters", "dependent"]


@pytest.mark.parametrize(
    "cell",
    [
        "def f(depth): return depth",
        "f = lambda depth: depth",
        "[depth for depth in range(3)]",
        "model.depth",
        "print('depth')  # depth",
        "def f():\n    depth = 1\n    return depth",
        "call(depth=1)",
        "%%capture out\nx = 1",
        "!ls data",
        "%matplotlib inline",
        "",
    ],
)
def test_is_not_misled_by_other_names(cell: str) -> None:
    """A parameter's name may mean something else, or be no name at all."""
    assert states(analysed(PARAMETERS, cell)) == ["parameters", "free"]


@pytest.mark.parametrize(
    "change",
    [
        "items.append(depth)",
        "items[0] = depth",
        "items.first = depth",
        "items += [depth]",
        "del items[depth]",
        "del items; depth",
        "items.table.loc[0].x = depth",
        "random.shuffle(items); depth",
        "extend(items); depth",
        "await items.fill(depth)",
        "items.drop(depth, inplace=True)",
        "def add():\n    items.append(depth)\nadd()",
        "def put():\n    global items\n    items = depth\nput()",
        "for items in range(depth): pass",
        "with open(depth) as items: pass",
        "try:\n    depth / 0\nexcept Error as items: pass",
    ],
)
def test_what_a_dependent_cell_changes_depends_too(change: str) -> None:
    """Names are tainted that a dependent cell binds or changes in place."""
    setup = "items = []\ndef extend(list): list.append(1)"
    sharing = analysed(PARAMETERS, setup, change, "shared: first = items[0]")
    assert "through items (cell 3)" in sharing.refusals[0]


def test_reading_changes_nothing() -> None:
    """What a dependent cell merely looks at stays independent."""
    sharing = analysed(
        PARAMETERS, "df = load()", "n = df.sample(depth)\ndf.head()", "shared: m = df.mean()"
    )
    assert sharing.shared == (1, 3)


def test_functions_depend_on_what_they_find_when_they_are_called() -> None:
    """A global that a function reads counts where the function is used, even if bound later."""
    sharing = analysed("def f(): return SIZE", PARAMETERS, "SIZE = depth", "shared: x = f()")
    assert "through SIZE (cell 3)" in sharing.refusals[0]
    later = analysed("def f(): return SIZE", PARAMETERS, "SIZE = 3", "shared: x = f()")
    assert later.shared == (0, 2, 3)


def test_a_module_that_was_seeded_is_not_tainted_as_a_whole() -> None:
    """Seeding numpy by a parameter concerns its random numbers alone."""
    sharing = analysed(
        "import numpy as np",
        "parameters: seed = 0",
        "np.random.seed(seed)",
        "shared: a = np.zeros(3)",
        "shared: b = np.random.rand()",
    )
    assert sharing.shared == (0, 3)
    assert sharing.refusals == (
        (
            "Cell 5 is tagged shared but depends on the parameter seed through numpy.random "
            "(cell 3). Remove the tag, or the dependency."
        ),
    )


def test_an_import_in_a_dependent_cell_is_no_dependency() -> None:
    """What is imported elsewhere as well may be imported by a dependent cell too."""
    both = ("import numpy as np", "import numpy as np\nx = np.zeros(depth)")
    for first, second in (both, both[::-1]):
        sharing = analysed(PARAMETERS, first, second, "shared: y = np.ones(3)")
        assert sharing.refusals == ()
    only = analysed(PARAMETERS, both[1], "shared: y = np.ones(3)")
    assert "through np (cell 2)" in only.refusals[0]


def test_what_the_parameters_cell_imports() -> None:
    """The parameters cell is not executed before the shared ones, and so are its imports not."""
    sharing = analysed("parameters: import numpy as np\nx = 1", "shared: a = np.zeros(3)")
    assert sharing.refusals == (
        (
            "Cell 2 is tagged shared but depends on np, which the parameters cell imports. "
            "Remove the tag, or the dependency."
        ),
    )


def test_names_that_the_sweep_sets() -> None:
    """Parameters count that no cell declares."""
    assert states(analysed("x = depth", given=("depth",))) == ["dependent"]
    assert states(analysed("input", given=("input",))) == ["dependent"]
    assert states(analysed("input")) == ["free"]


def test_refuses_to_change_what_a_cell_before_it_sees() -> None:
    """Shared cells go first: they must not change what an earlier cell reads or binds."""
    sharing = analysed(PARAMETERS, "df = load()", "print(df, depth)", "shared: df = df.dropna()")
    assert sharing.refusals == (
        (
            "Cell 4 is tagged shared but changes df, which cell 3 uses before; that cell depends "
            "on the parameter depth. Remove the tag, or the dependency."
        ),
    )
    free = analysed(PARAMETERS, "df = load()", "print(df)", "shared: df = df.dropna()")
    assert free.shared == (1, 2, 3)
    again = analysed(PARAMETERS, "name = depth", "shared: name = 1", "print(name)")
    assert "binds name anew after cell 2" in again.refusals[0]
    passing = analysed(
        PARAMETERS,
        "for i in range(depth): print(i)",
        "shared: for i in range(3): print(i)",
        "for i in range(4): print(i)",
    )
    assert passing.shared == (2,)


def test_the_surroundings_of_all_code() -> None:
    """What extends sys.path comes with the cells behind it; a kernel's own stands in the way."""
    sharing = analysed("import sys\nsys.path.append('lib')", PARAMETERS, "shared: import own")
    assert sharing.shared == (0, 2)
    for cell in ("%env A=1", "import os\nos.environ['A'] = '1'", "load_dotenv()", "os.putenv(1)"):
        own = analysed("import os", cell, PARAMETERS, "shared: x = open('y').read()")
        assert own.refusals == (
            (
                "Cell 4 is tagged shared but needs os.environ of cell 2, which sets os.environ, "
                "which is each kernel's own. Put variables into the project's .env, or set them "
                "behind the shared cells."
            ),
        )
    moved = analysed("import os", PARAMETERS, "os.chdir(depth)", "shared: x = open('y').read()")
    assert "through the working folder (cell 3)" in moved.refusals[0]
    made = analysed("import os", PARAMETERS, "os.makedirs(depth)", "shared: x = os.listdir()")
    assert made.shared == (0, 3)


def test_names_of_unknown_origin() -> None:
    """A name that no cell binds comes from what binds names that cannot be seen."""
    sharing = analysed("from own import *", PARAMETERS, "y = 1", "shared: x = load(open('z'))")
    assert sharing.shared == (0, 3)
    run = analysed(PARAMETERS, "exec(depth)", "shared: x = load()")
    assert run.refusals


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("shared: %%bash\nls", "begins with %%bash. Remove the tag."),
        ("shared: def f(:", "cannot be read (line 1: invalid syntax). Remove the tag."),
        ("shared: return = 1", "cannot be read (line 1: invalid syntax). Remove the tag."),
        (
            "shared: %load_ext sql",
            "uses %load_ext, which each kernel needs for itself. Move that to a cell of its own.",
        ),
        (
            "shared: get_ipython().events",
            "uses get_ipython, which each kernel needs for itself. Move that to a cell of its own.",
        ),
        (
            "shared: import mlflow\nmlflow.autolog()",
            "uses mlflow, and no run is open when it is executed. Move that to another cell.",
        ),
        (
            "shared: from mlflow import log_metric as log\nlog('a', 1)",
            "uses mlflow, and no run is open when it is executed. Move that to another cell.",
        ),
        ("skipped: x = 1", "is tagged skip-execution. Remove one of the tags."),
    ],
)
def test_refuses_what_has_to_run_in_each_kernel(cell: str, message: str) -> None:
    """There is a line for each reason, and it says what to do."""
    assert analysed(PARAMETERS, cell).refusals == (f"Cell 2 is tagged shared but {message}",)
    untagged = analysed(PARAMETERS, cell.partition(": ")[2])
    assert untagged.cells[1].state is (State.UNFIT if "skip" not in cell else State.FREE)


def test_refuses_the_parameters_cell_itself() -> None:
    """Neither the parameters cell can be shared nor the one that papermill has injected."""
    for tag in ("parameters", "injected-parameters"):
        cell = CodeCell(source="depth = 3", tags=frozenset({tag, "shared"}))
        assert analyse([cell]).refusals == (
            "Cell 1 is tagged shared but is the parameters cell. Remove the tag.",
        )


def test_importing_mlflow_is_allowed() -> None:
    """Only its use needs a run."""
    sharing = analysed("import mlflow\nimport pandas as pd", PARAMETERS, "shared: x = pd.load()")
    assert sharing.shared == (0, 2)


def test_refuses_what_needs_a_cell_that_cannot_be_shared() -> None:
    """The cell is named that stands in the way, over any number of steps."""
    sharing = analysed(
        "%load_ext sql\nimport pandas as pd", "raw = pd.load()", PARAMETERS, "shared: x = raw + 1"
    )
    assert sharing.refusals == (
        (
            "Cell 4 is tagged shared but needs cell 2, which needs pd of cell 1, which uses "
            "%load_ext, which each kernel needs for itself. Move that to a cell of its own."
        ),
    )
    assert states(sharing) == ["unfit", "unfit", "parameters", "refused"]


def test_large_notebooks_are_read_at_once() -> None:
    """Two hundred cells that build on each other take less than a few seconds."""
    cells = ["import numpy as np", PARAMETERS, "x0 = np.zeros(3)"]
    cells += [f"x{i + 1} = np.log(x{i})\nfor j in range(3): print(j)" for i in range(200)]
    sharing = analysed(*cells, "shared: x200")
    assert len(sharing.shared) == 203
