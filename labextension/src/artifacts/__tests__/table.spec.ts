import { describe, expect, it } from 'vitest';

import { readTable } from '../table';

describe('readTable', () => {
  it('reads fields, quotes and all kinds of line ends', () => {
    const text = '\uFEFFa,b\r\n1,"x, ""y""\nz"\n\n3,';
    expect(readTable(text, ',', 10, false)).toEqual({
      head: ['a', 'b'],
      rows: [['1', 'x, "y"\nz'], [''], ['3', '']],
      hasMore: false
    });
  });

  it('reads other delimiters', () => {
    expect(readTable('a\tb,c\n', '\t', 10, false).head).toEqual(['a', 'b,c']);
  });

  it('ends after so many rows', () => {
    const text = 'n\n' + Array.from({ length: 50 }, String).join('\n');
    const table = readTable(text, ',', 10, false);
    expect(table.rows).toHaveLength(10);
    expect(table.hasMore).toBe(true);
  });

  it('leaves out a last row that was cut', () => {
    const table = readTable('n,m\n1,2\n3,4', ',', 10, true);
    expect(table).toEqual({
      head: ['n', 'm'],
      rows: [['1', '2']],
      hasMore: true
    });
  });

  it('survives a quote without an end', () => {
    expect(readTable('a\n"b', ',', 10, false).rows).toEqual([['b']]);
    expect(readTable('', ',', 10, false).head).toEqual([]);
  });
});
