/** Which run of a sweep is registered where the sweep itself does not say which is the best. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunView, SweepView } from '../api/types';
import { formatNumber, formatParameters, variedNames } from '../format';
import { metricNames } from '../sweep/columns';
import type { ISweepTarget } from '../targets';
import { decodeNumber } from '../values';
import type { IField, IOption } from './fields';

/** So many runs without any metric are offered; others are registered from their own menus. */
const OFFERED = 100;

/** The field that chooses a run, or null if the sweep has a best run, or only one. */
export async function runField(
  { store, sweep }: ISweepTarget,
  trans: TranslationBundle
): Promise<IField | null> {
  if (sweep.kind !== 'sweep' || sweep.best !== null || sweep.total === 1) {
    return null;
  }
  const { client, project } = store;
  const runs = await client.runs(project.path, sweep.id);
  const done = runs.filter(({ status }) => status === 'succeeded');
  const best = bestRuns(sweep, done, trans);
  return {
    name: 'run',
    label: reason(sweep, best.length > 0, trans),
    options: best.length > 0 ? best : anyRuns(sweep, done, trans),
    isRequired: true
  };
}

/** The runs with the highest and the lowest value of a metric, each with all that it is best in. */
function bestRuns(
  sweep: SweepView,
  runs: readonly RunView[],
  trans: TranslationBundle
): readonly IOption[] {
  const names = variedNames(sweep, runs);
  const praise = new Map<RunView, string[]>();
  for (const metric of metricNames(sweep, runs)) {
    const ordered = runs
      .flatMap(run => {
        const value = decodeNumber(run.metrics[metric]);
        return value === null || Number.isNaN(value) ? [] : [{ run, value }];
      })
      .sort((left, right) => right.value - left.value);
    const [highest, lowest] = [ordered[0], ordered.at(-1)];
    if (highest && lowest && highest.value > lowest.value) {
      for (const [{ run, value }, text] of [
        [highest, trans.__('highest %1', metric)],
        [lowest, trans.__('lowest %1', metric)]
      ] as const) {
        const known = praise.get(run) ?? [];
        praise.set(run, [...known, `${text} ${formatNumber(value)}`]);
      }
    }
  }
  return [...praise].map(([run, texts]) => ({
    value: run.id,
    label: [texts.join(', '), formatParameters(run.parameters, names)].join(
      ' · '
    )
  }));
}

function anyRuns(
  sweep: SweepView,
  runs: readonly RunView[],
  trans: TranslationBundle
): readonly IOption[] {
  const names = variedNames(sweep, runs);
  return runs.slice(0, OFFERED).map(run => ({
    value: run.id,
    label: [
      trans.__('run %1', run.index),
      formatParameters(run.parameters, names)
    ].join(' · ')
  }));
}

/** Why somebody has to choose. */
function reason(
  { metric }: SweepView,
  hasMetrics: boolean,
  trans: TranslationBundle
): string {
  if (metric !== null) {
    return trans.__('No run has logged %1. Choose the run:', metric);
  }
  return hasMetrics
    ? trans.__('The runs are not ranked by a metric. Choose the best:')
    : trans.__('The runs have no metric to compare. Choose the run:');
}
