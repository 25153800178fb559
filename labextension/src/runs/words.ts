/** How far a run is, in a few words, the same in rows, tables and tabs. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunView } from '../api/types';
import { statusWord } from '../components/status';
import { formatAbout, formatDuration, formatElapsed } from '../format';
import { ageOf } from '../projects/received';
import { runState } from '../status';

/** Where it is: `cell 3/7`, `stopping: terminate`, `retry in 12 s`; else its state. */
export function placeText(
  run: RunView,
  now: number,
  trans: TranslationBundle
): string {
  switch (run.status) {
    case 'running':
      return (
        stoppingText(run, trans) ??
        cellText(run, trans) ??
        statusWord('running', trans)
      );
    case 'queued':
      return retryText(run, now, trans) ?? statusWord('queued', trans);
    case 'failed':
      return run.cell === null
        ? statusWord('failed', trans)
        : trans.__('cell %1', run.cell);
    default:
      return statusWord(runState(run), trans);
  }
}

/** How long it has been running and about how long it will: `12 s · ~20 s left`. */
export function paceText(
  run: RunView,
  now: number,
  trans: TranslationBundle
): string {
  return [elapsedText(run, now, trans), leftText(run, now, trans)]
    .filter(Boolean)
    .join(' · ');
}

/** How long a running run's attempt has been going on. */
export function elapsedText(
  run: RunView,
  now: number,
  trans: TranslationBundle
): string {
  if (run.elapsed !== null) {
    return formatDuration(run.elapsed + ageOf(run, now), trans);
  }
  return run.started_at === null
    ? ''
    : formatElapsed(run.started_at, now, trans);
}

/** About how long a run will still take; empty if that is not known or over. */
export function leftText(
  run: RunView,
  now: number,
  trans: TranslationBundle
): string {
  const left = (run.remaining ?? 0) - ageOf(run, now);
  return run.status === 'running' && run.stopping === null && left >= 0.5
    ? trans.__('~%1 left', formatAbout(left, trans))
    : '';
}

function cellText(run: RunView, trans: TranslationBundle): string | null {
  return run.cell !== null && run.cells !== null
    ? trans.__('cell %1/%2', run.cell, run.cells)
    : null;
}

function stoppingText(run: RunView, trans: TranslationBundle): string | null {
  switch (run.stopping) {
    case 'interrupt':
      return trans.__('stopping: interrupt');
    case 'terminate':
      return trans.__('stopping: terminate');
    case 'kill':
      return trans.__('stopping: kill');
    case null:
      return null;
  }
}

function retryText(
  run: RunView,
  now: number,
  trans: TranslationBundle
): string | null {
  const left =
    run.not_before === null ? 0 : (Date.parse(run.not_before) - now) / 1000;
  return left >= 0.5 ? trans.__('retry in %1', formatWhole(left, trans)) : null;
}

function formatWhole(seconds: number, trans: TranslationBundle): string {
  return seconds < 99.5
    ? trans.__('%1 s', Math.round(seconds))
    : formatDuration(seconds, trans);
}
