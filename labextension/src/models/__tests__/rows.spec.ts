import { describe, expect, it } from 'vitest';

import { aModel } from '../../__tests__/samples';
import { buildModelRows } from '../rows';

const few = { showsAll: () => false };

describe('the rows of models', () => {
  it('are by name, the newest version first, and name each model once', () => {
    const models = [
      aModel({ name: 'b', version: 1 }),
      aModel({ name: 'a', version: 1 }),
      aModel({ name: 'a', version: 10 })
    ];
    const rows = buildModelRows({ ...few, models });
    expect(rows).toMatchObject([
      { key: 'a/10', isFirst: true },
      { key: 'a/1', isFirst: false },
      { key: 'b/1', isFirst: true }
    ]);
  });

  it('leave out old versions, but none with an alias, and say how many', () => {
    const models = [1, 2, 3, 4, 5, 6].map(version =>
      aModel({ name: 'a', version, aliases: version === 1 ? ['champion'] : [] })
    );
    const keys = ['a/6', 'a/5', 'a/4', 'a/1'];
    const rows = buildModelRows({ ...few, models });
    expect(rows.map(row => row.key)).toEqual([...keys, 'a/older']);
    expect(rows.at(-1)).toMatchObject({ kind: 'older', name: 'a', count: 2 });
    const all = buildModelRows({ models, showsAll: name => name === 'a' });
    expect(all).toHaveLength(6);
  });
});
