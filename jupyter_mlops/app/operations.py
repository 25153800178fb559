"""The one table of what the worker can be asked.

Three read it: the worker's door, the client, and the server extension with its OpenAPI file.
An operation's name is the name of the method of `Service` that carries it out, which takes the
path's placeholders as keyword arguments, then the query or the body.
"""

from __future__ import annotations

from typing import Any

from . import (
    artifact_operations,
    feature_operations,
    model_operations,
    search_operations,
    serving_operations,
)
from . import messages as m
from .operation import Operation

HEALTH = Operation("health", "GET", "/health", "read", "Who answers", m.HealthView, public=False)
DRAIN = Operation(
    "drain",
    "POST",
    "/drain",
    "execute",
    "End when idle",
    m.Empty,
    body=m.DrainRequest,
    public=False,
)
STATUS = Operation("status", "GET", "/status", "read", "State of the project", m.StatusView)
DOCTOR = Operation("doctor", "GET", "/doctor", "read", "Check the set-up", list[m.Finding])
LIST_EXECUTORS = Operation(
    "list_executors",
    "GET",
    "/executors",
    "read",
    "Where runs may be executed, and how that stands",
    list[m.ExecutorView],
)
CLEAN = Operation(
    "clean",
    "POST",
    "/clean",
    "write",
    "Remove old runs, and what nothing refers to",
    m.CleanView,
    body=m.CleanRequest,
)

PARAMETERS = Operation(
    "parameters",
    "GET",
    "/parameters",
    "read",
    "Parameters that a notebook declares",
    m.ParametersView,
    query=m.NotebookQuery,
)
PREVIEW = Operation(
    "preview",
    "POST",
    "/preview",
    "read",
    "Count a parameter space",
    m.PreviewView,
    body=m.SpaceRequest,
)
EXPLAIN = Operation(
    "explain",
    "POST",
    "/explain",
    "read",
    "Which cells the runs of a sweep share, and what sharing others would save",
    m.SharingView,
    body=m.SpaceRequest,
)
SUBMIT = Operation(
    "submit", "POST", "/sweeps", "execute", "Start a sweep", m.SweepView, body=m.SubmitRequest
)

LIST_SWEEPS = Operation(
    "list_sweeps",
    "GET",
    "/sweeps",
    "read",
    "Sweeps, newest first",
    list[m.SweepView],
    query=m.ListQuery,
)
GET_SWEEP = Operation("get_sweep", "GET", "/sweeps/{sweep_id}", "read", "A sweep", m.SweepView)
CANCEL_SWEEP = Operation(
    "cancel_sweep", "POST", "/sweeps/{sweep_id}/cancel", "execute", "Cancel a sweep", m.SweepView
)
RETRY_SWEEP = Operation(
    "retry_sweep",
    "POST",
    "/sweeps/{sweep_id}/retry",
    "execute",
    "Retry a sweep's failed and cancelled runs",
    m.SweepView,
)
DELETE_SWEEP = Operation(
    "delete_sweep", "DELETE", "/sweeps/{sweep_id}", "write", "Delete a sweep and its runs", m.Empty
)
SWEEP_METRICS = Operation(
    "sweep_metrics",
    "GET",
    "/sweeps/{sweep_id}/metrics",
    "read",
    "Metrics of a sweep's runs by step",
    list[m.MetricSeries],
    query=m.MetricsQuery,
)

LIST_RUNS = Operation(
    "list_runs", "GET", "/runs", "read", "Runs", list[m.RunView], query=m.RunsQuery
)
GET_RUN = Operation("get_run", "GET", "/runs/{run_id}", "read", "A run", m.RunDetail)
CANCEL_RUN = Operation(
    "cancel_run", "POST", "/runs/{run_id}/cancel", "execute", "Cancel a run", m.RunView
)
RETRY_RUN = Operation(
    "retry_run", "POST", "/runs/{run_id}/retry", "execute", "Run it again", m.RunView
)
RESUMPTION = Operation(
    "resumption",
    "GET",
    "/runs/{run_id}/resume",
    "read",
    "What a retry from the failed cell executes again",
    m.ResumptionView,
)
RESUME_RUN = Operation(
    "resume_run",
    "POST",
    "/runs/{run_id}/resume",
    "execute",
    "Run it again from the failed cell",
    m.RunView,
    body=m.ResumeRequest,
)
DELETE_RUN = Operation("delete_run", "DELETE", "/runs/{run_id}", "write", "Delete a run", m.Empty)
RUN_METRICS = Operation(
    "run_metrics",
    "GET",
    "/runs/{run_id}/metrics",
    "read",
    "Metrics of a run by step",
    list[m.MetricSeries],
    query=m.MetricsQuery,
)


TAIL = Operation("tail", "GET", "/runs/{run_id}/tail", "read", "What a run is printing", m.TailView)
PARTIAL_NOTEBOOK = Operation(
    "partial_notebook",
    "POST",
    "/runs/{run_id}/notebook",
    "write",
    "Write a run's notebook as far as it has come",
    m.NotebookFile,
)

OPEN_SESSION = Operation(
    "open_session",
    "POST",
    "/sessions",
    "execute",
    "Track interactive work",
    m.SessionView,
    body=m.SessionRequest,
    public=False,
)
LOG_SESSION = Operation(
    "log_session",
    "POST",
    "/sessions/{run_id}/log",
    "write",
    "Add metrics to a session",
    m.Empty,
    body=m.LogRequest,
    public=False,
)
FINISH_SESSION = Operation(
    "finish_session",
    "POST",
    "/sessions/{run_id}/finish",
    "write",
    "Close a session",
    m.RunView,
    body=m.FinishRequest,
    public=False,
)

LIST_MODELS = Operation(
    "list_models",
    "GET",
    "/models",
    "read",
    "Model versions",
    list[m.ModelVersionView],
    query=m.ModelsQuery,
)
REGISTER_MODEL = Operation(
    "register_model",
    "POST",
    "/models/{name}/versions",
    "write",
    "Register a run's model",
    m.ModelVersionView,
    body=m.RegisterRequest,
)
SET_ALIAS = Operation(
    "set_alias",
    "PUT",
    "/models/{name}/aliases/{alias}",
    "write",
    "Point an alias at a version",
    m.ModelVersionView,
    body=m.AliasRequest,
)
DELETE_ALIAS = Operation(
    "delete_alias", "DELETE", "/models/{name}/aliases/{alias}", "write", "Remove an alias", m.Empty
)

PIPELINE = Operation(
    "pipeline",
    "GET",
    "/pipeline",
    "read",
    "The stages of the pipeline, where they stand, and why they will run",
    m.PipelineView,
    query=m.PipelineQuery,
)
GET_STAGE = Operation(
    "get_stage",
    "GET",
    "/pipeline/stage",
    "read",
    "A stage: its command, files, metrics and log",
    m.StageDetail,
    query=m.StageQuery,
)
PLAN_PIPELINE = Operation(
    "plan_pipeline",
    "POST",
    "/pipeline/plan",
    "read",
    "What a pipeline run would do",
    m.PlanView,
    body=m.PipelineRequest,
)
RUN_PIPELINE = Operation(
    "run_pipeline",
    "POST",
    "/pipeline/runs",
    "execute",
    "Bring stages up to date",
    m.PipelineRunView,
    body=m.PipelineRequest,
)
LIST_PIPELINE_RUNS = Operation(
    "list_pipeline_runs",
    "GET",
    "/pipeline/runs",
    "read",
    "Pipeline runs, newest first",
    list[m.PipelineRunView],
    query=m.ListQuery,
)
GET_PIPELINE_RUN = Operation(
    "get_pipeline_run",
    "GET",
    "/pipeline/runs/{pipeline_id}",
    "read",
    "A pipeline run and each of its stages",
    m.PipelineRunDetail,
)
CANCEL_PIPELINE_RUN = Operation(
    "cancel_pipeline_run",
    "POST",
    "/pipeline/runs/{pipeline_id}/cancel",
    "execute",
    "Cancel a pipeline run",
    m.PipelineRunView,
)

LIST_SCHEDULES = Operation(
    "list_schedules",
    "GET",
    "/schedules",
    "read",
    "Schedules, when they are due next, and what they did last",
    list[m.ScheduleView],
)
ADD_SCHEDULE = Operation(
    "add_schedule",
    "POST",
    "/schedules",
    "execute",
    "Start something at certain times",
    m.ScheduleView,
    body=m.ScheduleRequest,
)
REMOVE_SCHEDULE = Operation(
    "remove_schedule",
    "DELETE",
    "/schedules/{schedule_id}",
    "execute",
    "Remove a schedule",
    m.ScheduleView,
)
LIST_TRIGGERS = Operation(
    "list_triggers",
    "GET",
    "/triggers",
    "read",
    "Triggers, and what they did last",
    list[m.TriggerView],
)
ADD_TRIGGER = Operation(
    "add_trigger",
    "POST",
    "/triggers",
    "execute",
    "Start something when something else happens",
    m.TriggerView,
    body=m.TriggerRequest,
)
REMOVE_TRIGGER = Operation(
    "remove_trigger",
    "DELETE",
    "/triggers/{trigger_id}",
    "execute",
    "Remove a trigger",
    m.TriggerView,
)
FIRE_TRIGGER = Operation(
    "fire_trigger",
    "POST",
    "/triggers/{trigger_id}/fire",
    "execute",
    "Set off a trigger that waits for calls",
    m.FireView,
    body=m.FireRequest,
)
LIST_FIRES = Operation(
    "list_fires",
    "GET",
    "/fires",
    "read",
    "What schedules and triggers started, and what they did not and why",
    list[m.FireView],
    query=m.FiresQuery,
)

TEST_NOTIFICATIONS = Operation(
    "test_notifications",
    "POST",
    "/notifications/test",
    "execute",
    "Send a test to every notification",
    list[m.Finding],
    public=False,
)

EVENTS = Operation(
    "events",
    "GET",
    "/events",
    "read",
    "Events after a number",
    list[m.EventView],
    query=m.EventsQuery,
)

OPERATIONS: tuple[Operation[Any], ...] = (
    *(value for value in list(globals().values()) if isinstance(value, Operation)),
    *model_operations.OPERATIONS,
    *search_operations.OPERATIONS,
    *serving_operations.OPERATIONS,
    *artifact_operations.OPERATIONS,
    *feature_operations.OPERATIONS,
)
#: Those that answer with the bytes of a file.
DOWNLOADS: tuple[Operation[bytes], ...] = artifact_operations.DOWNLOADS
