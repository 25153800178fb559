"""Pipelines that must be refused, and what the refusal has to name."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.support import pipelines

#: A stage that would leave a file behind if anything ran.
CANARY = "  canary:\n    cmd: echo ran > ran.txt\n    outs: [ran.txt]\n"


@dataclass(frozen=True)
class Bad:
    """A project with one thing wrong."""

    #: What the one line of the refusal has to match.
    refusal: str
    #: Files by path; ``dvc.yaml`` begins with a stage that could run.
    files: dict[str, str | bytes] = field(default_factory=dict)
    git: bool = True
    dvc: bool = True

    def lay_out(self, folder: Path) -> Path:
        """Write the project into a folder."""
        folder.mkdir(parents=True)
        if self.git:
            pipelines.repository(folder, dvc=self.dvc)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if self.git:
            pipelines.commit(folder)
        return folder


def _stages(text: str, **files: str | bytes) -> dict[str, str | bytes]:
    return {"dvc.yaml": f"stages:\n{CANARY}{text}", **files}


def _bomb(first: str, following: str, levels: int = 10) -> str:
    """Write lists, each of which holds the one before nine times."""
    lines = [first.format(name="a0", items=", ".join(["x"] * 9))]
    for level in range(1, levels):
        items = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(following.format(name=f"a{level}", items=items))
    return "\n".join(lines) + "\n"


_LOCK = """schema: '2.0'
stages:
  canary:
    cmd: echo ran > ran.txt
    outs:
    - path: ran.txt
      hash: md5
      md5: 00000000000000000000000000000000
      size: 4
"""

BAD = {
    "cycle": Bad(
        r"(?=.*\bsecond\b).*\bthird\b",
        _stages(
            "  second:\n    cmd: cp b a\n    deps: [b]\n    outs: [a]\n"
            "  third:\n    cmd: cp a b\n    deps: [a]\n    outs: [b]\n"
        ),
    ),
    "self-loop": Bad(
        r"\bloop\b",
        _stages("  loop:\n    cmd: cp a a\n    deps: [a]\n    outs: [a]\n"),
    ),
    "overlapping-outputs": Bad(
        r"(?=.*\bfolder\b)(?=.*folder/file\b).*overlap",
        _stages(
            "  whole:\n    cmd: mkdir folder\n    outs: [folder]\n"
            "  part:\n    cmd: touch folder/file\n    outs: [folder/file]\n"
        ),
    ),
    "output-twice": Bad(
        r"(?=.*\bone\b)(?=.*\btwo\b).*same\.txt",
        _stages(
            "  one:\n    cmd: touch same.txt\n    outs: [same.txt]\n"
            "  two:\n    cmd: touch same.txt\n    outs: [same.txt]\n"
        ),
    ),
    "missing-dependency": Bad(
        r"(?=.*\bneedy\b).*nowhere\.txt",
        _stages("  needy:\n    cmd: cp nowhere.txt x\n    deps: [nowhere.txt]\n    outs: [x]\n"),
    ),
    "broken-yaml": Bad(
        r"dvc\.yaml.*line [67]",
        _stages("  broken:\n    cmd: [echo, 'x'\n    outs: [x]\n"),
    ),
    "tab": Bad(r"dvc\.yaml.*line 6", _stages("  broken:\n\tcmd: echo\n")),
    "duplicate-key": Bad(
        r"dvc\.yaml.*line 7.*\btwice\b",
        _stages("  twice:\n    cmd: echo 1\n  twice:\n    cmd: echo 2\n"),
    ),
    "unknown-key": Bad(
        r"dvc\.yaml.*line 7.*\boutputs\b",
        _stages("  odd:\n    cmd: echo\n    outputs: [x]\n"),
    ),
    "no-command": Bad(r"dvc\.yaml.*line [56].*\bodd\b", _stages("  odd:\n    outs: [x]\n")),
    "undefined-variable": Bad(
        r"(?=.*dvc\.yaml)(?=.*\bodd\b).*nobody",
        _stages("  odd:\n    cmd: echo ${nobody} > x\n    outs: [x]\n"),
    ),
    "foreach-over-a-number": Bad(
        r"(?=.*dvc\.yaml)(?=.*\bodd\b).*list",
        _stages("  odd:\n    foreach: ${number}\n    do:\n      cmd: echo ${item}\n")
        | {"params.yaml": "number: 3\n"},
    ),
    "missing-parameter": Bad(
        r"(?=.*params\.yaml)(?=.*\bodd\b).*train\.depth",
        _stages("  odd:\n    cmd: touch x\n    params: [train.depth]\n    outs: [x]\n")
        | {"params.yaml": "train: {rate: 1}\n"},
    ),
    "missing-vars-file": Bad(
        r"dvc\.yaml.*nowhere\.yaml",
        {"dvc.yaml": f"vars:\n  - nowhere.yaml\nstages:\n{CANARY}"},
    ),
    "broken-parameters": Bad(
        r"params\.yaml.*line [23]",
        _stages("  odd:\n    cmd: echo ${a}\n") | {"params.yaml": "a: 1\nb: [1, 2\n"},
    ),
    "not-utf-8": Bad(
        r"dvc\.yaml.*UTF-8",
        {"dvc.yaml": f"stages:\n{CANARY}".encode() + b"# \xe9t\xe9\n"},
    ),
    "a-list": Bad(r"dvc\.yaml", {"dvc.yaml": "- stages\n"}),
    "outside-the-repository": Bad(
        r"(?=.*\bodd\b).*\.\./x\.txt",
        _stages("  odd:\n    cmd: echo > ../x.txt\n    outs: [../x.txt]\n"),
    ),
    "bomb": Bad(
        r"params\.yaml.*alias",
        _stages("  odd:\n    cmd: echo ${a9}\n")
        | {"params.yaml": _bomb("{name}: &{name} [{items}]", "{name}: &{name} [{items}]")},
    ),
    "bomb-in-flow-style": Bad(
        r"dvc\.yaml.*alias",
        {
            "dvc.yaml": "vars:\n  - all: ["
            + _bomb("&{name} [{items}],", "    &{name} [{items}],").rstrip(",\n")
            + f"]\nstages:\n{CANARY}"
        },
    ),
    "bomb-below-its-keys": Bad(
        r"vars\.yaml.*alias",
        {
            "dvc.yaml": f"vars:\n  - conf/vars.yaml\nstages:\n{CANARY}",
            "conf/vars.yaml": _bomb("{name}:\n  &{name} [{items}]", "{name}:\n  &{name} [{items}]"),
        },
    ),
    "merge-markers-in-lock": Bad(
        r"dvc\.lock, line 4.*merge",
        _stages("")
        | {
            "dvc.lock": _LOCK.replace(
                "    cmd: echo ran > ran.txt\n",
                "<<<<<<< HEAD\n    cmd: echo ran > ran.txt\n"
                "=======\n    cmd: echo other\n>>>>>>> other\n",
            )
        },
    ),
    "broken-lock": Bad(
        r"dvc\.lock.*line [23]", _stages("") | {"dvc.lock": "schema: '2.0'\nstages: {a: [\n"}
    ),
    "unknown-lock": Bad(
        r"dvc\.lock.*\bmd6\b",
        _stages("") | {"dvc.lock": _LOCK.replace("md5: 0", "md6: 0")},
    ),
    "no-dvc": Bad(r"dvc init", _stages(""), dvc=False),
    "no-git": Bad(r"dvc init", _stages(""), git=False, dvc=False),
}
