import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import {
  formatAbout,
  formatAgo,
  formatCount,
  formatDuration,
  formatElapsed,
  formatEstimate,
  formatNumber,
  formatParameters,
  formatShare,
  formatSize,
  formatValue,
  formatWaiting,
  lastLine,
  spaceText,
  variedNames
} from '../format';
import { aRun, aSweep } from './samples';

const trans = nullTranslator.load('jupyter_mlops');

describe('estimates', () => {
  it.each([
    [0.3, '1 s'],
    [4.4, '4 s'],
    [38, '40 s'],
    [99, '1 min 40 s'],
    [7322, '2 h 2 min']
  ])('writes %s seconds as %s', (seconds, text) => {
    expect(formatEstimate(seconds, trans)).toBe(text);
  });
});

describe('numbers', () => {
  it.each([
    [0.731, '0.731'],
    [0.73128, '0.7313'],
    [1234.5678, '1235'],
    [-0.5, '−0.5'],
    [0, '0'],
    [12345678, '1.235e7'],
    [0.0000123456, '1.235e−5'],
    [NaN, 'NaN'],
    [Infinity, '∞'],
    [-Infinity, '−∞']
  ])('writes %d as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('keeps whole parameters whole', () => {
    expect(formatValue(20131231)).toBe('20131231');
    expect(formatValue(0.0046415888)).toBe('0.004642');
  });
});

describe('durations', () => {
  it.each([
    [0.04, '0.0 s'],
    [4.21, '4.2 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [190, '3 min 10 s'],
    [3599.6, '1 h'],
    [7500, '2 h 5 min'],
    [86400, '1 d'],
    [100800, '1 d 4 h']
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds, trans)).toBe(text);
  });
});

it('never says that something has been going on for less than no time', () => {
  const start = '2026-03-01T12:00:00Z';
  const elapsed = (seconds: number): string =>
    formatElapsed(start, Date.parse(start) + seconds * 1000, trans);
  expect(elapsed(-3)).toBe('0.0 s');
  expect(elapsed(75)).toBe('1 min 15 s');
});

describe('times', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  it.each([
    ['2026-03-01T12:00:05Z', 'just now'],
    ['2026-03-01T11:59:20Z', '40 s ago'],
    ['2026-03-01T11:57:30Z', '2 min ago'],
    ['2026-03-01T09:00:00Z', '3 h ago'],
    ['2026-02-26T12:00:00Z', '3 d ago']
  ])('writes %s as %s', (iso, text) => {
    expect(formatAgo(iso, now, trans)).toBe(text);
  });
});

describe('parameters', () => {
  it('writes them in the given order and skips those that are not set', () => {
    const parameters = { rate: 0.1, depth: 3, model: 'rf' };
    expect(formatParameters(parameters, ['depth', 'rate', 'seed'])).toBe(
      'depth=3 rate=0.1'
    );
  });

  it('decodes numbers that JSON cannot carry', () => {
    expect(formatParameters({ limit: { $float: 'inf' } })).toBe('limit=∞');
  });

  it.each([
    ['rf', 'rf'],
    ['true', '"true"'],
    ['a,b', '"a,b"'],
    ['', '""'],
    [3, '3'],
    [null, 'null'],
    [NaN, 'nan'],
    [-Infinity, '-inf'],
    [[1, 'a'], '[1,"a"]']
  ])('writes %j so that the space language reads it back', (value, text) => {
    expect(spaceText(value)).toBe(text);
  });

  it('finds those that vary within a sweep', () => {
    const sweep = aSweep({ space: { depth: '3,5', seed: '1' } });
    const runs = [
      aRun({ id: 's1-1', parameters: { depth: 3, seed: 1 } }),
      aRun({ id: 's1-2', parameters: { depth: 5, seed: 1 } })
    ];
    expect(variedNames(sweep, runs)).toEqual(['depth']);
    expect(variedNames(sweep, null)).toEqual(['depth', 'seed']);
  });
});

it('takes the last line of an error', () => {
  expect(lastLine('Traceback\n  x\nValueError: bad lr\n')).toBe(
    'ValueError: bad lr'
  );
});

describe('estimates and sizes', () => {
  it.each([
    [0.2, '1 s'],
    [3.4, '3 s'],
    [21, '20 s'],
    [58, '1 min'],
    [192, '3 min 10 s']
  ])('writes about %d seconds as %s', (seconds, text) => {
    expect(formatAbout(seconds, trans)).toBe(text);
  });

  it.each([
    [512, '512 B'],
    [20_600_000, '20.6 MB'],
    [999_900, '1.00 MB'],
    [2e9, '2.00 GB']
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatSize(bytes, trans)).toBe(text);
  });

  it.each([
    [0, '0'],
    [9999, '9999'],
    [10_000, '10k'],
    [336_776, '337k'],
    [999_600, '1M'],
    [12_345_678, '12.3M'],
    [4e9, '4G']
  ])('writes %d things as %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [0, '0 %'],
    [0.0002, 'under 0.1 %'],
    [0.0213, '2.1 %'],
    [0.12345, '12.3 %'],
    [1, '100 %']
  ])('writes a share of %d as %s', (share, text) => {
    expect(formatShare(share, trans)).toBe(text);
  });

  it.each([
    [1, 0, '1 run to record'],
    [3, 0, '3 runs to record'],
    [1, 1, '1 run · 1 metric value to record'],
    [3, 42, '3 runs · 42 metric values to record']
  ])('writes that %d runs and %d values wait as %s', (runs, values, text) => {
    expect(formatWaiting(runs, values, trans)).toBe(text);
  });
});
