/** Sweeps, runs and models for tests, in the contract's form. */
import type {
  ArtifactView,
  AttemptView,
  EndpointView,
  EventView,
  ModelVersionView,
  ParametersView,
  ParameterView,
  ProjectView,
  RunView,
  SharingCell,
  SharingView,
  StatusView,
  SweepView,
  TailView
} from '../api/types';

export const PROJECT: ProjectView = {
  id: 'p1',
  path: 'flights',
  name: 'flights',
  marker: 'mlops.toml'
};

export function aStatus(given: Partial<StatusView> = {}): StatusView {
  return {
    queued: 0,
    running: 0,
    cores_used: 0,
    cores_held: 0,
    cores: 2,
    problem: null,
    unsynced: 0,
    unsynced_values: 0,
    seq: 0,
    upcoming: null,
    clusters: [],
    ...given
  };
}

export function anArtifact(
  path: string,
  given: Partial<ArtifactView> = {}
): ArtifactView {
  const end = path.slice(path.lastIndexOf('.') + 1);
  const types: Readonly<Record<string, string>> = {
    csv: 'text/csv',
    png: 'image/png',
    txt: 'text/plain'
  };
  return {
    path,
    size: 1,
    media_type: types[end] ?? 'application/octet-stream',
    sha256: null,
    ...given
  };
}

export function aSweep(given: Partial<SweepView> = {}): SweepView {
  return {
    id: 's1',
    kind: 'sweep',
    notebook: 'train.ipynb',
    space: { depth: '3,5' },
    mode: 'grid',
    total: 2,
    counts: {
      queued: 1,
      running: 1,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
      pruned: 0
    },
    status: 'running',
    metric: 'auc',
    maximize: true,
    best: null,
    experiment: 'flights',
    executor: 'local',
    cpus: 1,
    priority: 0,
    created_at: '2026-03-01T12:00:00Z',
    started_at: '2026-03-01T12:00:01Z',
    finished_at: null,
    duration: null,
    remaining: null,
    mlflow_run_id: null,
    source_changed: false,
    search: null,
    pruning: null,
    memory: null,
    gpus: 0,
    ...given
  };
}

export function aRun(given: Partial<RunView> = {}): RunView {
  return {
    id: 's1-1',
    sweep_id: 's1',
    kind: 'sweep',
    index: Number((given.id ?? 's1-1').split('-')[1]),
    notebook: 'train.ipynb',
    parameters: { depth: 3 },
    status: 'running',
    reason: null,
    error: null,
    metrics: {},
    metric: 'auc',
    value: null,
    maximize: true,
    attempts: 1,
    cell: 1,
    cells: 7,
    created_at: '2026-03-01T12:00:00Z',
    started_at: '2026-03-01T12:00:01Z',
    finished_at: null,
    duration: null,
    output: null,
    experiment: 'flights',
    mlflow_run_id: null,
    elapsed: null,
    remaining: null,
    not_before: null,
    stopping: null,
    pipeline_id: null,
    stage: null,
    unsynced: false,
    environment: null,
    differences: null,
    ...given
  };
}

export function anAttempt(given: Partial<AttemptView> = {}): AttemptView {
  return {
    id: 's1-1-1',
    number: 1,
    status: 'running',
    reason: null,
    error: null,
    executor: 'local',
    start: 'warm',
    mlflow_run_id: null,
    started_at: '2026-03-01T12:00:01Z',
    finished_at: null,
    duration: null,
    failed_cell: null,
    cell_times: null,
    resumed_at: null,
    notebook_hash: null,
    peak_memory: null,
    cpu_time: null,
    node: null,
    notes: [],
    ...given
  };
}

export function aTail(given: Partial<TailView> = {}): TailView {
  return {
    run_id: 's1-1',
    status: 'running',
    cell: 1,
    cells: 7,
    text: '',
    elapsed: 1,
    cell_elapsed: 1,
    cell_times: [],
    ...given
  };
}

export function aModel(
  given: Partial<ModelVersionView> = {}
): ModelVersionView {
  return {
    name: 'late-flights',
    version: 1,
    aliases: [],
    complete: null,
    notices: [],
    description: '',
    tags: {},
    created_at: '2026-03-01T12:00:00Z',
    run_id: 's1-1',
    mlflow_run_id: null,
    metrics: {},
    parameters: {},
    ...given
  };
}

export function aParameter(given: Partial<ParameterView> = {}): ParameterView {
  return {
    name: 'depth',
    kind: 'int',
    annotation: 'int',
    default: 3,
    default_text: '3',
    choices: null,
    optional: false,
    help: null,
    ...given
  };
}

export function someParameters(
  given: Partial<ParametersView> = {}
): ParametersView {
  return {
    notebook: 'train.ipynb',
    has_cell: true,
    readable: true,
    parameters: [
      aParameter(),
      aParameter({ name: 'rate', kind: 'float', default_text: '0.1' })
    ],
    candidates: [],
    kernel: 'python3',
    last_space: null,
    last_metric: null,
    last_maximize: null,
    metrics: ['auc', 'loss'],
    seconds_per_run: null,
    cores: 2,
    experiment: 'flights',
    ...given
  };
}

export function aSharingCell(given: Partial<SharingCell> = {}): SharingCell {
  return {
    cell: 1,
    source: 'import this',
    state: 'suggested',
    tagged: false,
    why: '',
    seconds: null,
    ...given
  };
}

export function someSharing(given: Partial<SharingView> = {}): SharingView {
  return {
    notebook: 'train.ipynb',
    runs: 1,
    slots: 1,
    cores: 2,
    cells: [],
    measured: 1,
    seconds: 1,
    saved: 0,
    ...given
  };
}

export function anEvent(given: Partial<EventView> = {}): EventView {
  return {
    seq: 1,
    time: '2026-03-01T12:00:00Z',
    kind: 'run',
    sweep_id: 's1',
    run_id: 's1-1',
    status: 'running',
    data: {},
    ...given
  };
}

export function anEndpoint(given: Partial<EndpointView> = {}): EndpointView {
  return {
    name: 'flights',
    version: 3,
    alias: null,
    status: 'ready',
    next: null,
    previous: 2,
    error: null,
    address: 'mlops/endpoints/flights/',
    requests: 12,
    failures: 0,
    p50: 0.0031,
    p95: 0.012,
    restarts: 0,
    monitored: [],
    share: 0,
    challenger: null,
    environment: 'here',
    log: '.mlops/logs/endpoints/flights.log',
    created_at: '2026-03-01T12:00:00Z',
    since: '2026-03-01T12:00:00Z',
    ...given
  };
}
