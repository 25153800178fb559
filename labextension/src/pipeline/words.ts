/** Where stages stand, in a few words, the same in rows, nodes and sheets. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { StageState, StageView } from '../api/types';
import { statusWord } from '../components/status';
import { formatAgo, formatDuration, formatElapsed, lastLine } from '../format';
import type { PipelineStore } from '../projects/pipeline';

/** States from what needs attention to what does not. */
export const STATES: readonly StageState[] = [
  'failed',
  'running',
  'queued',
  'stale',
  'succeeded',
  'fresh',
  'skipped',
  'frozen'
];

/** Number of stages in each state. */
export function countStates(
  stages: readonly StageView[]
): ReadonlyMap<StageState, number> {
  const counts = new Map<StageState, number>();
  stages.forEach(({ state }) =>
    counts.set(state, (counts.get(state) ?? 0) + 1)
  );
  return counts;
}

/** The state of several stages taken together: what most needs attention. */
export function overallState(stages: readonly StageView[]): StageState {
  const counts = countStates(stages);
  return STATES.find(state => counts.has(state)) ?? 'fresh';
}

/** The states of several stages in words: `2 stale, 4 up to date`. */
export function statesText(
  stages: readonly StageView[],
  trans: TranslationBundle
): string {
  const counts = countStates(stages);
  return STATES.flatMap(state => {
    const count = counts.get(state);
    return count ? `${String(count)} ${statusWord(state, trans)}` : [];
  }).join(', ');
}

/** What most needs to be known of a stage beside its state; may be empty. */
export function reasonText(stage: StageView, trans: TranslationBundle): string {
  switch (stage.state) {
    case 'failed':
      return stage.error === null ? '' : lastLine(stage.error);
    case 'running':
      return stage.cell === null || stage.cells === null
        ? ''
        : trans.__('cell %1/%2', stage.cell, stage.cells);
    case 'succeeded':
      return stage.cached ? trans.__('from the run cache') : '';
    case 'skipped':
      return stage.error === null ? causesText(stage) : lastLine(stage.error);
    default:
      return causesText(stage);
  }
}

/** Why it will run: its own reasons before those of others. */
export function causesText(stage: StageView): string {
  return [...stage.causes]
    .sort(
      (left, right) =>
        Number(left.kind === 'upstream') - Number(right.kind === 'upstream')
    )
    .map(cause => cause.text)
    .join(' · ');
}

/** How long its command takes or took; empty if that is not known. */
export function timeText(
  stage: StageView,
  now: number,
  trans: TranslationBundle
): string {
  if (stage.state === 'running') {
    return stage.started_at === null
      ? ''
      : formatElapsed(stage.started_at, now, trans);
  }
  return stage.duration === null ? '' : formatDuration(stage.duration, trans);
}

/** All that a row or node shows of a stage, in one sentence. */
export function stageLabel(stage: StageView, trans: TranslationBundle): string {
  const upstream = stage.upstream.length
    ? trans.__('after %1', stage.upstream.slice(0, 3).join(', ')) +
      (stage.upstream.length > 3
        ? ' ' + trans.__('and %1 more', stage.upstream.length - 3)
        : '')
    : '';
  return [
    stage.name,
    statusWord(stage.state, trans),
    reasonText(stage, trans),
    stage.duration === null || stage.state === 'running'
      ? ''
      : formatDuration(stage.duration, trans),
    upstream
  ]
    .filter(Boolean)
    .join(', ');
}

/** A state, and one line about all. */
export interface ITruth {
  readonly state: StageState;
  readonly text: string;
}

/** How far, how good, what will run: one line about the whole pipeline. */
export function truthOf(
  pipeline: PipelineStore,
  now: number,
  trans: TranslationBundle
): ITruth {
  const { stages, last, progress } = pipeline;
  const counts = countStates(stages);
  const failed = counts.get('failed') ?? 0;
  const failedText = failed ? trans.__('%1 failed', failed) : '';
  const isBegun = counts.has('running') || counts.has('queued');
  if (pipeline.isActive && last?.waits_for) {
    return { state: 'queued', text: last.waits_for };
  }
  if (pipeline.isActive || isBegun) {
    const text =
      pipeline.isActive && progress && progress.total > 0
        ? trans.__('%1 of %2 stages done', progress.done, progress.total)
        : trans.__('looking at what has changed');
    return {
      state: last?.status === 'queued' ? 'queued' : 'running',
      text: join(text, failedText)
    };
  }
  const stale =
    failed + (counts.get('stale') ?? 0) + (counts.get('skipped') ?? 0);
  const ago = last?.finished_at ? formatAgo(last.finished_at, now, trans) : '';
  if (failed) {
    return {
      state: 'failed',
      text: join(failedText, stale > failed ? willRun(stale, trans) : '', ago)
    };
  }
  if (stale) {
    return { state: 'stale', text: willRun(stale, trans, stages.length) };
  }
  return {
    state: 'fresh',
    text: join(
      trans._n('%1 stage up to date', '%1 stages up to date', stages.length),
      ago
    )
  };
}

function willRun(
  count: number,
  trans: TranslationBundle,
  total?: number
): string {
  return total === undefined
    ? trans.__('%1 will run', count)
    : trans.__('%1 of %2 stages will run', count, total);
}

function join(...parts: readonly string[]): string {
  return parts.filter(Boolean).join(' · ');
}
