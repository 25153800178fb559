"""Projects whose stages are wired together, for the tests of the panel."""

from __future__ import annotations

import textwrap
from pathlib import Path

from tests.support.notebooks import write_notebook
from tests.support.pipelines import commit, repository

PIPELINE = """\
stages:
  prepare:
    desc: Make the table that the models learn from
    cmd: python prepare.py
    deps: [prepare.py]
    outs: [table.csv]
  train:
    matrix:
      model: [forest, linear, boosting, dummy]
    cmd: python train.py ${item.model} ${depth}
    deps: [train.py, table.csv]
    params: [depth]
    outs:
      - model-${item.model}.txt
    metrics:
      - metrics-${item.model}.json:
          cache: false
    meta:
      mlops: {cpus: 1, retries: 0, timeout: 300}
  compare:
    cmd: python compare.py
    deps:
      - compare.py
      - metrics-forest.json
      - metrics-linear.json
      - metrics-boosting.json
      - metrics-dummy.json
    params: [limit]
    outs: [report.md]
    plots:
      - curve.csv:
          cache: false
  publish:
    cmd: papermill publish.ipynb published.ipynb
    deps: [publish.ipynb, report.md]
    outs: [published.ipynb]
"""
FILES = {
    "dvc.yaml": PIPELINE,
    "params.yaml": "depth: 3\nlimit: 9\n",
    "mlops.toml": "",
    "prepare.py": "open('table.csv', 'w').write('x,y\\n' + '1,2\\n' * 5000)",
    "train.py": """\
        import json, pathlib, sys, time
        model, depth = sys.argv[1], int(sys.argv[2])
        print('training', model)
        while pathlib.Path('hold').exists():
            time.sleep(0.05)
        open(f'model-{model}.txt', 'w').write(model * depth)
        open(f'metrics-{model}.json', 'w').write(json.dumps({'auc': 0.7 + depth / 100}))
        """,
    "compare.py": """\
        limit = next(line for line in open('params.yaml') if line.startswith('limit'))
        print('comparing four models')
        if int(limit.split()[1]) > 5:
            raise SystemExit('ValueError: no model reaches the limit of 9')
        open('report.md', 'w').write('# Report')
        open('curve.csv', 'w').write('step,auc\\n1,0.7\\n2,0.8\\n')
        """,
}


def write_pipeline(folder: Path) -> None:
    """Make a project with scripts, a notebook and a matrix; its comparison fails at first."""
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(textwrap.dedent(text), "utf-8")
    write_notebook(folder / "publish.ipynb", "depth: int = 1", "print('published')")
    repository(folder)
    commit(folder)


def large_pipeline(count: int) -> str:
    """Return a dvc.yaml of stages that come after one or two of those before them."""
    lines = ["stages:"]
    for index in range(count):
        before = {max(0, index - 1 - index * 7 % 9), max(0, index - 2 - index % 5)}
        deps = [f"out{each}.txt" for each in sorted(before) if each < index]
        lines += [
            f"  s{index}:",
            f"    cmd: echo {index} > out{index}.txt",
            f"    outs: [out{index}.txt]",
            *([f"    deps: [{', '.join(deps)}]"] if deps else []),
        ]
    return "\n".join(lines) + "\n"
