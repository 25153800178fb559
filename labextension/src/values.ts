/** Values as they travel: JSON, with `{"$float": "nan"}` for floats that are not finite. */
import type { Value } from './api/types';

const NON_FINITE: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '-inf': -Infinity
};

/** Return the value that the server encoded. */
export function decode(encoded: unknown): Value {
  if (
    encoded === null ||
    typeof encoded === 'string' ||
    typeof encoded === 'number' ||
    typeof encoded === 'boolean'
  ) {
    return encoded;
  }
  if (Array.isArray(encoded)) {
    return encoded.map(decode);
  }
  if (typeof encoded === 'object') {
    const entries = Object.entries(encoded);
    const [first] = entries;
    if (entries.length === 1 && first?.[0] === '$float') {
      return NON_FINITE[String(first[1])] ?? NaN;
    }
    return Object.fromEntries(
      entries.map(([key, value]) => [unescapeKey(key), decode(value)])
    );
  }
  return null;
}

/** Return the number that the server encoded, or null if it is none. */
export function decodeNumber(encoded: unknown): number | null {
  const value = decode(encoded);
  return typeof value === 'number' ? value : null;
}

/** Compare two values as a reader expects: numbers by size, the rest by text, null last. */
export function compareValues(left: Value, right: Value): number {
  const [leftRank, rightRank] = [rank(left), rank(right)];
  if (leftRank !== rightRank) {
    return leftRank - rightRank;
  }
  if (typeof left === 'number' && typeof right === 'number') {
    return left - right || 0;
  }
  return textOf(left).localeCompare(textOf(right), undefined, {
    numeric: true
  });
}

function textOf(value: Value): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function rank(value: Value): number {
  if (value === null) {
    return 3;
  }
  if (typeof value === 'number') {
    return Number.isNaN(value) ? 2 : 0;
  }
  return 1;
}

function unescapeKey(key: string): string {
  return /^\$\$+float$/.test(key) ? key.slice(1) : key;
}
