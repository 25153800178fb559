/** What is known of a run besides its outputs, as names and texts. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { AttemptView, RunDetail, SweepView } from '../api/types';
import { statusWord } from '../components/status';
import { formatDuration, formatSize } from '../format';

/** Parts of the context that are notes for the worker itself. */
const INTERNAL: ReadonlySet<string> = new Set(['mlflow']);

export interface IFact {
  readonly name: string;
  readonly text: string;
}

/** What was reserved and used, how it was started, its attempts, code and environment. */
export function contextFacts(
  detail: RunDetail,
  trans: TranslationBundle
): readonly IFact[] {
  const { run, sweep, attempts, context } = detail;
  const last = attempts.at(-1);
  const facts: IFact[] = [
    { name: trans.__('Reserved'), text: askedText(sweep, trans) },
    { name: trans.__('Used'), text: last ? usedText(last, trans) : '' },
    { name: trans.__('Kernel'), text: last?.start ?? '' },
    { name: trans.__('Executor'), text: last?.executor ?? sweep.executor },
    { name: trans.__('Node'), text: last?.node ?? '' },
    ...(attempts.length > 1
      ? attempts.map(each => ({
          name: trans.__('Attempt %1', each.number),
          text: attemptText(each, trans)
        }))
      : []),
    { name: trans.__('Experiment'), text: run.experiment },
    { name: trans.__('MLflow run'), text: run.mlflow_run_id ?? '' },
    {
      name: trans.__('Not recorded yet'),
      text: run.unsynced
        ? trans.__('it waits here until the tracking server answers')
        : ''
    },
    { name: trans.__('Notes'), text: (last?.notes ?? []).join(' ') },
    { name: trans.__('Output notebook'), text: run.output ?? '' },
    { name: trans.__('Notebook sha256'), text: detail.notebook_hash },
    ...Object.entries(context)
      .filter(([name]) => !INTERNAL.has(name))
      .map(([name, value]) => ({
        name: nameText(name),
        text: valueText(value, trans)
      }))
  ];
  return facts.filter(each => each.text !== '');
}

/** `2 cores, 2.00 GB of memory, 1 GPU`. */
export function askedText(sweep: SweepView, trans: TranslationBundle): string {
  const { cpus, memory, gpus } = sweep;
  return [
    trans._n('%1 core', '%1 cores', cpus),
    memory === null ? '' : trans.__('%1 of memory', formatSize(memory, trans)),
    gpus > 0 ? trans._n('%1 GPU', '%1 GPUs', gpus) : ''
  ]
    .filter(Boolean)
    .join(', ');
}

/** `3.1 s of CPU time (0.8 cores on average), 310 MB of memory at most`. */
export function usedText(
  attempt: AttemptView,
  trans: TranslationBundle
): string {
  const { cpu_time: cpu, duration, peak_memory: memory } = attempt;
  const average =
    cpu !== null && duration !== null && duration > 0
      ? ` ${trans.__('(%1 cores on average)', (cpu / duration).toFixed(1))}`
      : '';
  return [
    cpu === null
      ? ''
      : trans.__('%1 of CPU time', formatDuration(cpu, trans)) + average,
    memory === null
      ? ''
      : trans.__('%1 of memory at most', formatSize(memory, trans))
  ]
    .filter(Boolean)
    .join(', ');
}

function attemptText(attempt: AttemptView, trans: TranslationBundle): string {
  const { resumed_at: cell, duration } = attempt;
  return [
    statusWord(attempt.status, trans),
    cell === null ? '' : trans.__('from cell %1 on', cell),
    attempt.start,
    duration === null ? '' : formatDuration(duration, trans),
    attempt.error ?? ''
  ]
    .filter(Boolean)
    .join(' · ');
}

function nameText(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** One line; what is nested is written as `name: value`. */
function valueText(value: unknown, trans: TranslationBundle): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (typeof value === 'boolean') {
    return value ? trans.__('yes') : trans.__('no');
  }
  if (Array.isArray(value)) {
    return value
      .map(each => valueText(each, trans))
      .filter(Boolean)
      .join(', ');
  }
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([name, each]) => [name, valueText(each, trans)] as const)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => `${name.replaceAll('_', ' ')}: ${text}`)
      .join(', ');
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
