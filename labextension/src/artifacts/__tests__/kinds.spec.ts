import { describe, expect, it } from 'vitest';

import { base64, bytesToRead, dataUrl, kindOf, showsPart } from '../kinds';

describe('kindOf', () => {
  it.each([
    ['image/png', 'image'],
    ['image/svg+xml', 'svg'],
    ['text/csv', 'table'],
    ['text/javascript', 'text'],
    ['text/x-python', 'text'],
    ['application/x-ipynb+json', 'notebook'],
    ['application/octet-stream', null],
    ['application/pdf', null]
  ])('shows %s as %s', (type, kind) => {
    expect(kindOf(type)).toBe(kind);
  });
});

describe('bytesToRead', () => {
  it('reads the beginning of what says something by itself', () => {
    expect(bytesToRead('text', 10 ** 12)).toBe(256_000);
    expect(showsPart('text')).toBe(true);
  });

  it('does not begin to read what is too large as a whole', () => {
    expect(bytesToRead('image', 10 ** 9)).toBeNull();
    expect(bytesToRead('image', null)).toBe(20_000_000);
    expect(showsPart('image')).toBe(false);
  });
});

describe('dataUrl', () => {
  it('holds any number of any bytes', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index);
    const decoded = atob(base64(bytes));
    expect(decoded).toHaveLength(100_000);
    expect(decoded.charCodeAt(65_791)).toBe(255);
    expect(dataUrl('image/png', new Uint8Array([1]))).toBe(
      'data:image/png;base64,AQ=='
    );
  });
});
