/** How numbers, times and parameters are written. */
import type { TranslationBundle } from '@jupyterlab/translation';

import { decode } from './values';
import type { RunView, SweepView, Value } from './api/types';

const SECOND = 1000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Words and texts that the space language would not read back as the same text. */
const CONSTANTS = /^(true|false|null|none|nan|[+-]?inf(inity)?)$/i;
const PLAIN_TEXT = /^[A-Za-z_]([\w./ -]*[\w./-])?$/;

/** Write a number with at most four significant digits. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  }
  const rounded = Number(value.toPrecision(4));
  const size = Math.abs(rounded);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    return rounded.toExponential().replace('e+', 'e').replace('-', '−');
  }
  return String(rounded).replace('-', '−');
}

/** Write a value in one line: text bare, whole numbers in full, the rest short. */
export function formatValue(value: Value): string {
  if (typeof value === 'string') {
    return value;
  }
  if (typeof value === 'number') {
    return Number.isInteger(value)
      ? String(value).replace('-', '−')
      : formatNumber(value);
  }
  return JSON.stringify(value);
}

/** Write a value in full, as the space language reads it back. */
export function spaceText(value: Value): string {
  if (typeof value === 'string') {
    const isPlain = PLAIN_TEXT.test(value) && !CONSTANTS.test(value);
    return isPlain ? value : JSON.stringify(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  }
  return JSON.stringify(value);
}

/** Write a value in full: text bare, the rest as the space language reads it back. */
export function formatFull(value: Value): string {
  return typeof value === 'string' ? value : spaceText(value);
}

/** Write parameters as `depth=3 rate=0.1`; `names` selects and orders them. */
export function formatParameters(
  parameters: Readonly<Record<string, unknown>>,
  names: readonly string[] = Object.keys(parameters)
): string {
  return names
    .filter(name => name in parameters)
    .map(name => `${name}=${formatValue(decode(parameters[name]))}`)
    .join(' ');
}

/** Write the parameters' values only, as `3 · 0.1`. */
export function formatValues(
  parameters: Readonly<Record<string, unknown>>,
  names: readonly string[]
): string {
  return names
    .map(name =>
      name in parameters ? formatValue(decode(parameters[name])) : '–'
    )
    .join(' · ');
}

/** The parameters that distinguish a sweep's runs; for a single run those that it was given. */
export function variedNames(
  sweep: SweepView,
  runs: readonly RunView[] | null
): readonly string[] {
  const all = new Set(Object.keys(sweep.space));
  runs?.forEach(run =>
    Object.keys(run.parameters).forEach(name => all.add(name))
  );
  if (!runs || runs.length < 2) {
    return [...all];
  }
  return [...all].filter(name => {
    const seen = new Set(
      runs.map(run => JSON.stringify(run.parameters[name] ?? null))
    );
    return seen.size > 1;
  });
}

/** Write a duration in seconds: `4.2 s`, `3 min 10 s`, `2 h 5 min`. */
export function formatDuration(
  seconds: number,
  trans: TranslationBundle
): string {
  if (seconds < 9.95) {
    return trans.__('%1 s', seconds.toFixed(1));
  }
  if (seconds < MINUTE - 0.5) {
    return trans.__('%1 s', Math.round(seconds));
  }
  if (seconds < HOUR - 0.5) {
    const [count, rest] = split(seconds, MINUTE, 1);
    return rest
      ? trans.__('%1 min %2 s', count, rest)
      : trans.__('%1 min', count);
  }
  if (seconds < DAY - MINUTE / 2) {
    const [count, rest] = split(seconds, HOUR, MINUTE);
    return rest
      ? trans.__('%1 h %2 min', count, rest)
      : trans.__('%1 h', count);
  }
  const [count, rest] = split(seconds, DAY, HOUR);
  return rest ? trans.__('%1 d %2 h', count, rest) : trans.__('%1 d', count);
}

/** Write an estimate of some time, no more exact than it is: `40 s`. */
export function formatEstimate(
  seconds: number,
  trans: TranslationBundle
): string {
  const step = seconds < 10 ? 1 : 5;
  const rounded = Math.max(1, Math.round(seconds / step) * step);
  return rounded < 10
    ? trans.__('%1 s', rounded)
    : formatDuration(rounded, trans);
}

/** Write an estimate of some time: `3 s`, `20 s`, `3 min 10 s`. */
export function formatAbout(seconds: number, trans: TranslationBundle): string {
  const rounded =
    seconds < 10
      ? Math.max(1, Math.round(seconds))
      : Math.round(seconds / 5) * 5;
  return rounded < MINUTE
    ? trans.__('%1 s', rounded)
    : formatDuration(rounded, trans);
}

/** Write a number of bytes: `20.6 MB`. */
export function formatSize(bytes: number, trans: TranslationBundle): string {
  if (bytes < 1000) {
    return trans.__('%1 B', bytes);
  }
  const rounded = Number(bytes.toPrecision(3));
  const exponent = Math.min(4, Math.floor(Math.log10(rounded) / 3));
  const unit = ['B', 'kB', 'MB', 'GB', 'TB'][exponent] ?? 'B';
  return `${(rounded / 1000 ** exponent).toPrecision(3)} ${unit}`;
}

/** Write a number of things, short from ten thousand on: `337k`. */
export function formatCount(count: number): string {
  if (count < 10_000) {
    return String(count);
  }
  const rounded = Number(count.toPrecision(3));
  const exponent = Math.min(3, Math.floor(Math.log10(rounded) / 3));
  const unit = ['', 'k', 'M', 'G'][exponent] ?? '';
  return `${Number((rounded / 1000 ** exponent).toPrecision(3))}${unit}`;
}

/** Write a share of one in percent: `2.1 %`. */
export function formatShare(share: number, trans: TranslationBundle): string {
  return share > 0 && share < 0.001
    ? trans.__('under 0.1 %')
    : trans.__('%1 %', Number((share * 100).toPrecision(share > 0.1 ? 3 : 2)));
}

/** Split seconds into large units and a rounded rest of small ones. */
function split(
  seconds: number,
  large: number,
  small: number
): [number, number] {
  const units = Math.round(seconds / small);
  const ratio = large / small;
  return [Math.floor(units / ratio), units % ratio];
}

/** Write how long something has been going on; clocks may differ a little. */
export function formatElapsed(
  iso: string,
  now: number,
  trans: TranslationBundle
): string {
  return formatDuration(Math.max(0, (now - Date.parse(iso)) / SECOND), trans);
}

/** Write how long ago something was: `2 min ago`. */
export function formatAgo(
  iso: string,
  now: number,
  trans: TranslationBundle
): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / SECOND);
  if (seconds < 10) {
    return trans.__('just now');
  }
  if (seconds < MINUTE) {
    return trans.__('%1 s ago', Math.floor(seconds));
  }
  if (seconds < HOUR) {
    return trans.__('%1 min ago', Math.floor(seconds / MINUTE));
  }
  if (seconds < DAY) {
    return trans.__('%1 h ago', Math.floor(seconds / HOUR));
  }
  return trans.__('%1 d ago', Math.floor(seconds / DAY));
}

/** `3 runs · 42 metric values to record`: what the tracking server lacks. */
export function formatWaiting(
  runs: number,
  values: number,
  trans: TranslationBundle
): string {
  return values > 0
    ? trans.__(
        '%1 · %2 to record',
        trans._n('%1 run', '%1 runs', runs),
        trans._n('%1 metric value', '%1 metric values', values)
      )
    : trans._n('%1 run to record', '%1 runs to record', runs);
}

/** Write a point in time in full. */
export function formatTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'medium'
  });
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The last line of an error, which names the exception. */
export function lastLine(error: string): string {
  return error.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
