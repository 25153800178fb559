/** Stages and pipelines for tests, in the contract's form. */
import type {
  PipelineRunView,
  PipelineView,
  StageDetail,
  StageView
} from '../api/types';

export function aStage(given: Partial<StageView> = {}): StageView {
  return {
    name: 'prepare',
    group: null,
    kind: 'stage',
    file: 'dvc.yaml',
    description: null,
    upstream: [],
    state: 'fresh',
    causes: [],
    error: null,
    notebook: null,
    run_id: null,
    cell: null,
    cells: null,
    cached: false,
    started_at: '2026-03-01T12:00:00Z',
    finished_at: '2026-03-01T12:00:04Z',
    duration: 4.2,
    ...given
  };
}

/** `prepare` makes the data of `train@a` and `train@b`, which `compare` compares. */
export function someStages(): StageView[] {
  const train = { group: 'train', upstream: ['prepare'] };
  return [
    aStage(),
    aStage({
      ...train,
      name: 'train@a',
      state: 'stale',
      causes: [
        {
          kind: 'parameter',
          what: 'params.yaml: depth',
          change: 'modified',
          text: 'params.yaml: depth modified'
        }
      ]
    }),
    aStage({ ...train, name: 'train@b' }),
    aStage({
      name: 'compare',
      upstream: ['train@a', 'train@b'],
      state: 'stale',
      causes: [
        {
          kind: 'upstream',
          what: 'train@a',
          change: '',
          text: 'upstream: train@a'
        }
      ]
    })
  ];
}

export function aPipelineRun(
  given: Partial<PipelineRunView> = {}
): PipelineRunView {
  return {
    id: 'p1',
    targets: [],
    options: {},
    status: 'running',
    error: null,
    origin: '',
    total: 4,
    waits_for: null,
    counts: {},
    created_at: '2026-03-01T12:00:00Z',
    started_at: '2026-03-01T12:00:00Z',
    finished_at: null,
    duration: null,
    ...given
  };
}

export function aPipeline(given: Partial<PipelineView> = {}): PipelineView {
  return {
    folder: '',
    exists: true,
    stages: someStages(),
    last: null,
    problem: null,
    ...given
  };
}

export function aStageDetail(given: Partial<StageDetail> = {}): StageDetail {
  return {
    stage: aStage(),
    command: ['python prepare.py'],
    folder: '',
    dependencies: [],
    outputs: [],
    metrics: [],
    downstream: [],
    frozen: false,
    always_changed: false,
    cpus: 1,
    memory: null,
    gpus: 0,
    timeout: null,
    retries: 0,
    log: '',
    ...given
  };
}

/** Stages that come after one or two of those before them. */
export function manyStages(count: number): StageView[] {
  return Array.from({ length: count }, (_, index) => {
    const others = [index - 1 - ((index * 7) % 9), index - 2 - (index % 5)];
    const upstream = new Set(
      others
        .slice(0, index === 0 ? 0 : 1 + (index % 2))
        .map(other => Math.max(0, other))
    );
    return aStage({
      name: `stage${String(index)}`,
      upstream: [...upstream].map(other => `stage${String(other)}`)
    });
  });
}
