/** Where values stand on an axis of parallel coordinates. */
import type { Value } from '../api/types';
import { formatNumber, formatValue } from '../format';

/** From this ratio on, an axis of positive numbers is logarithmic. */
const LOG_RATIO = 50;
/** Most texts beside an axis. */
const MAX_TICKS = 8;

export interface ITick {
  readonly position: number;
  readonly text: string;
}

export interface IScale {
  /** Where a value stands, from 0 to 1; null for one that cannot be drawn. */
  readonly place: (value: Value) => number | null;
  readonly ticks: readonly ITick[];
}

/** Return the scale of an axis: numbers in their distance, if all are; else as they come. */
export function scaleOf(values: readonly Value[]): IScale {
  const known = values.filter(value => value !== null);
  const numbers = known.filter(value => typeof value === 'number');
  return numbers.length === known.length
    ? numeric(numbers.filter(Number.isFinite))
    : named(known);
}

function numeric(numbers: readonly number[]): IScale {
  if (numbers.length === 0) {
    return { place: () => null, ticks: [] };
  }
  const low = Math.min(...numbers);
  const high = Math.max(...numbers);
  const isLog = low > 0 && high / low >= LOG_RATIO;
  const to = isLog ? Math.log : (value: number): number => value;
  const middle = isLog ? Math.sqrt(low) * Math.sqrt(high) : low / 2 + high / 2;
  const share = (value: number): number =>
    high > low
      ? // Halves first: the difference of two large numbers may be infinite.
        (to(value) / 2 - to(low) / 2) / (to(high) / 2 - to(low) / 2)
      : 0.5;
  const ticks = high > low ? [low, middle, high] : [low];
  return {
    place: value =>
      typeof value === 'number' && Number.isFinite(value) ? share(value) : null,
    ticks: ticks.map(value => ({
      position: share(value),
      text: formatNumber(value)
    }))
  };
}

function named(values: readonly Value[]): IScale {
  const keys = [...new Set(values.map(value => JSON.stringify(value)))];
  const last = Math.max(1, keys.length - 1);
  const place = (value: Value): number | null => {
    const index = keys.indexOf(JSON.stringify(value));
    return index < 0 ? null : keys.length > 1 ? index / last : 0.5;
  };
  const texts = keys.map((key, index) => ({
    position: keys.length > 1 ? index / last : 0.5,
    text: short(formatValue(JSON.parse(key) as Value))
  }));
  const step = Math.max(1, Math.floor(texts.length / MAX_TICKS));
  return { place, ticks: texts.filter((_, index) => index % step === 0) };
}

function short(text: string): string {
  return text.length > 12 ? `${text.slice(0, 11)}…` : text;
}
