/** What a feature's tab says. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ComputationView, FeatureView } from '../api/types';
import {
  formatAgo,
  formatCount,
  formatDuration,
  formatNumber,
  formatSize
} from '../format';

/** What is longer ago than this, in ms, is told by its day. */
const LONG = 30 * 86_400_000;

/** What computing it took: `12 s, 310 MB for 337k rows`. */
export function costText(
  { seconds, peak_memory, rows }: ComputationView,
  trans: TranslationBundle
): string {
  const took = [
    formatDuration(seconds, trans),
    ...(peak_memory === null ? [] : [formatSize(peak_memory, trans)])
  ].join(', ');
  return trans._n(
    '%2 for %3 row',
    '%2 for %3 rows',
    rows,
    took,
    formatCount(rows)
  );
}

/** Whom to ask for values that one may not read. */
export function askWhom(
  feature: FeatureView,
  trans: TranslationBundle
): string {
  const { owner, sensitivity } = feature;
  const why = sensitivity
    ? trans.__(
        'Its values are %1, and you are not among those who may read them.',
        sensitivity
      )
    : trans.__('It is made from features whose values you may not read.');
  return `${why} ${
    owner === null
      ? trans.__(
          'Ask who keeps the project’s mlops.toml, where [features.access] names them.'
        )
      : trans.__('Ask %1, its owner.', owner)
  }`;
}

/** Write when something was: how long ago, or on which day if that is long ago. */
export function formatDay(
  iso: string,
  now: number,
  trans: TranslationBundle
): string {
  const at = new Date(iso);
  return now - at.getTime() < LONG
    ? formatAgo(iso, now, trans)
    : at.toLocaleDateString(undefined, {
        dateStyle: 'medium',
        timeZone: 'UTC'
      });
}

/** Write a value of a feature; times are numbers of seconds since 1970. */
export function formatMeasure(value: number, type: string | null): string {
  if (isTime(type)) {
    const text = new Date(value * 1000).toISOString();
    return text.endsWith('T00:00:00.000Z')
      ? text.slice(0, 10)
      : text.slice(0, 16).replace('T', ' ');
  }
  return formatNumber(value);
}

/** Whether the values are points in time. */
export function isTime(type: string | null): boolean {
  return type !== null && /^(timestamp|date)/i.test(type);
}

/** Whether a file of the project can be shown as text. */
export function isReadableFile(place: string): boolean {
  return /^[^*?:[\]]+\.(csv|tsv|txt|json|jsonl|sql|md)$/i.test(place);
}
