import { describe, expect, it } from 'vitest';

import { compareValues, decode, decodeNumber } from '../values';

describe('decode', () => {
  it('restores floats that are not finite, also inside lists and dicts', () => {
    expect(decode({ $float: 'nan' })).toBeNaN();
    expect(decode([{ $float: 'inf' }, 1])).toEqual([Infinity, 1]);
    expect(decode({ a: { $float: '-inf' } })).toEqual({ a: -Infinity });
  });

  it('restores keys that were escaped', () => {
    expect(decode({ $$float: 'nan' })).toEqual({ $float: 'nan' });
  });

  it('takes a number for a number only', () => {
    expect(decodeNumber('3')).toBeNull();
    expect(decodeNumber(undefined)).toBeNull();
    expect(decodeNumber(3)).toBe(3);
  });
});

describe('compareValues', () => {
  it('orders numbers by size, then text, then NaN, then what is missing', () => {
    const values = [null, NaN, 'b', 10, 'a', 9];
    expect([...values].sort(compareValues)).toEqual([
      9,
      10,
      'a',
      'b',
      NaN,
      null
    ]);
  });

  it('orders infinities as equal to themselves', () => {
    expect(compareValues(Infinity, Infinity)).toBe(0);
    expect(compareValues(-Infinity, 0)).toBeLessThan(0);
  });
});
