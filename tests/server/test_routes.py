"""What the browser's requests become, and what it gets back."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_mlops.app import messages as m
from jupyter_mlops.app.operation import Operation
from jupyter_mlops.app.projects import Project
from jupyter_mlops.server.routes import FORWARDED

ESCAPES = [
    "../train.ipynb",
    "../../etc/passwd",
    "/etc/passwd",
    "a/../../train.ipynb",
    "outside.ipynb",
    "../work2/train.ipynb",
    "nul\0.ipynb",
]


#: What the bodies of requests cannot do without.
LEAST: dict[type[m.Request], dict[str, Any]] = {
    m.SpaceRequest: {"notebook": "train.ipynb"},
    m.SubmitRequest: {"notebook": "train.ipynb"},
    m.AliasRequest: {"version": 3},
    m.ScheduleRequest: {"line": "@daily", "action": {}},
    m.TriggerRequest: {"kind": "http", "action": {}},
    m.CompareRequest: {"ids": ["r-1"]},
    m.CurvesRequest: {"ids": ["r-1"], "key": "auc"},
    m.CellsRequest: {"left": "r-1", "right": "r-2"},
    m.CheckRequest: {"input": "rows.csv"},
    m.ExportRequest: {"target": "docker"},
    m.FeatureExportRequest: {"format": "feast", "output": "feast"},
    m.PredictRequest: {"input": "rows.csv", "output": "predictions.csv"},
}


def request_of(operation: Operation[Any]) -> dict[str, Any]:
    """Return the least that an operation can be asked with."""
    body: dict[str, Any] | None = None
    params = {"project": "work"}
    if operation.query is m.NotebookQuery:
        params["notebook"] = "train.ipynb"
    if operation.query is m.ArtifactQuery:
        params["path"] = "plots/roc.png"
    if operation.query is m.StageQuery:
        params["name"] = "train"
    if operation.query is m.VersionsQuery:
        params["versions"] = "1,2"
    if operation.query is m.LineageQuery:
        params["node"] = "run:r-1"
    if operation.body is not None:
        body = LEAST.get(operation.body, {})
    return {"params": params, "body": body}


@pytest.mark.parametrize("operation", FORWARDED, ids=lambda operation: operation.name)
async def test_forwarding(operation: Operation[Any], ask: Any, worker: Any) -> None:
    """Every public operation reaches the project's worker, and its answer the browser."""
    names = {"sweep_id": "s-1", "run_id": "r-1", "name": "a model", "alias": "best"}
    names |= {"pipeline_id": "p-1", "schedule_id": "s-2", "trigger_id": "t-1", "version": "3"}
    request = request_of(operation)
    response = await ask(operation.method, operation.path.format(**names), **request)
    assert response.code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    msgspec.json.decode(response.body, type=operation.response)
    asked = worker.asked[-1]
    assert asked.operation is operation
    assert asked.path == {name: names[name] for name in asked.path}
    if operation.body is not None:
        assert asked.body == msgspec.convert(request["body"], operation.body)


async def test_query_reaches_the_worker(ask: Any, worker: Any) -> None:
    """A query's values arrive with their types; ``project`` and Jupyter's own are not passed on."""
    params = {"project": "work", "limit": "5", "status": "failed", "no_track_activity": "1"}
    response = await ask("GET", "/runs", params=params)
    assert response.code == 200
    query = worker.asked[-1].query
    assert (query.limit, query.offset, query.sweep, query.status) == (5, 0, None, "failed")


async def test_time_against_caches(jp_fetch: Any, worker: Any) -> None:
    """The bare time that JupyterLab appends to every address is no parameter."""
    response = await jp_fetch("mlops/api/runs", params={"project": "work", "1700000000000": ""})
    assert response.code == 200


async def test_names_are_decoded_once(
    http_server_client: Any, jp_base_url: str, jp_auth_header: Any, worker: Any
) -> None:
    """A model's name may hold any character; an encoded percent sign stays one."""
    await http_server_client.fetch(
        jp_base_url + "mlops/api/models/a%2Fb%252Fc/aliases/x%3Fy?project=work",
        method="DELETE",
        headers=jp_auth_header,
    )
    assert worker.asked[-1].path == {"name": "a/b%2Fc", "alias": "x?y"}


async def test_any_value_survives(ask: Any, worker: Any) -> None:
    """Numbers and text reach the worker as the browser wrote them."""
    values = {"a": [2**70, -0.0, 1e-300, "\u2028'\"\\", None, True, {"$float": "nan"}]}
    body = {"notebook": "train.ipynb", "values": values}
    response = await ask("POST", "/preview", params={"project": "work"}, body=body)
    assert response.code == 200
    assert worker.asked[-1].body.values == values


@pytest.mark.parametrize("notebook", ESCAPES)
@pytest.mark.parametrize("route", ["/parameters", "/sweeps"])
async def test_notebooks_outside(
    route: str, notebook: str, ask: Any, worker: Any, project: Project, jp_root_dir: Path
) -> None:
    """A notebook outside the project is refused before the worker hears of it."""
    (jp_root_dir / "train.ipynb").write_text("{}")
    (jp_root_dir / "work2").mkdir()
    (jp_root_dir / "work2" / "train.ipynb").write_text("{}")
    (project.root / "outside.ipynb").symlink_to(jp_root_dir / "train.ipynb")
    if route == "/parameters":
        response = await ask("GET", route, params={"project": "work", "notebook": notebook})
    else:
        response = await ask("POST", route, params={"project": "work"}, body={"notebook": notebook})
    assert response.code == 400
    assert json.loads(response.body)["error"]["code"] == "not_allowed_path"
    assert not worker.asked


async def test_linked_notebook(ask: Any, worker: Any, project: Project) -> None:
    """A link inside the project stands for the notebook that it leads to."""
    (project.root / "link.ipynb").symlink_to("train.ipynb")
    response = await ask(
        "POST", "/sweeps", params={"project": "work"}, body={"notebook": "link.ipynb"}
    )
    assert response.code == 200
    assert worker.asked[-1].body.notebook == "train.ipynb"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("missing", 404),
        ("work/train.ipynb", 404),
        ("work/sub", 404),
        ("..", 400),
        ("/etc", 400),
        ("away", 400),
        ("%2e%2e", 404),
        ("x" * 5000, 404),
        ("nul\0", 400),
    ],
)
async def test_projects_that_are_none(
    name: str, code: int, ask: Any, worker: Any, project: Project, tmp_path: Path, jp_root_dir: Path
) -> None:
    """A project is a folder inside the server's root, and no part of another project."""
    (project.root / "sub").mkdir()
    (jp_root_dir / "away").symlink_to(tmp_path)
    response = await ask("GET", "/status", params={"project": name})
    assert response.code == code
    assert not worker.asked


async def test_project_is_required(ask: Any, worker: Any) -> None:
    """Without a project nothing is guessed."""
    response = await ask("GET", "/status")
    assert response.code == 400
    assert json.loads(response.body)["error"]["field"] == "project"


async def test_project_of_a_path(ask: Any, project: Project, jp_root_dir: Path) -> None:
    """Any file or folder tells its project, looked for upwards but never above the root."""
    (project.root / "sub").mkdir()
    (project.root / "sub" / "a b.ipynb").touch()
    for path in ("work", "work/train.ipynb", "work/sub/a b.ipynb", "work/sub"):
        response = await ask("GET", "/project", params={"path": path})
        assert response.code == 200
        view = msgspec.json.decode(response.body, type=m.ProjectView)
        assert view == m.ProjectView(project.id, "work", "work", "mlops.toml")
    (jp_root_dir.parent / "mlops.toml").touch()
    response = await ask("GET", "/project")
    view = msgspec.json.decode(response.body, type=m.ProjectView)
    assert (view.path, view.name, view.marker) == ("", jp_root_dir.name, "folder")


@pytest.mark.parametrize(("path", "code"), [("missing/x.ipynb", 404), ("..", 400), ("a\0", 400)])
async def test_path_without_project(path: str, code: int, ask: Any) -> None:
    """What does not exist, or lies outside, has no project."""
    assert (await ask("GET", "/project", params={"path": path})).code == code


async def test_project_needs_no_worker(ask: Any, project: Project, runtime_folder: Path) -> None:
    """Looking for projects starts nothing."""
    await ask("GET", "/project", params={"path": "work"})
    await ask("GET", "/projects")
    assert not os.listdir(runtime_folder)  # noqa: PTH208 - blocks the loop of this test only
    assert not project.state.exists()


async def test_projects_seen(ask: Any, project: Project, jp_root_dir: Path) -> None:
    """The root's project is always listed, others once they were asked for and while they exist."""
    paths = []
    for _ in range(2):
        response = await ask("GET", "/projects")
        views = msgspec.json.decode(response.body, type=list[m.ProjectView])
        paths.append([view.path for view in views])
        await ask("GET", "/project", params={"path": "work/train.ipynb"})
    project.root.rename(jp_root_dir / "other")
    response = await ask("GET", "/projects")
    views = msgspec.json.decode(response.body, type=list[m.ProjectView])
    assert [*paths, [view.path for view in views]] == [[""], ["", "work"], [""]]


async def test_broken_settings(ask: Any, project: Project) -> None:
    """Settings that cannot be read are named, with the file."""
    (project.root / "mlops.toml").write_text("cores = 'many'")
    response = await ask("GET", "/status", params={"project": "work"})
    error = json.loads(response.body)["error"]
    assert response.code == 400
    assert error["message"].startswith("mlops.toml: ")
