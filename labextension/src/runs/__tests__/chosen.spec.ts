import { describe, expect, it, vi } from 'vitest';

import { Chosen } from '../chosen';

describe('Chosen', () => {
  it('keeps the runs of each project in the order of their choice', () => {
    const chosen = new Chosen();
    const changed = vi.fn();
    chosen.changed.connect(changed);
    chosen.toggle('a', 's1-2');
    chosen.toggle('a', 's1-1');
    chosen.toggle('b', 's2-1');
    expect(chosen.of('a')).toEqual(['s1-2', 's1-1']);
    expect(chosen.has('b', 's1-1')).toBe(false);
    chosen.toggle('a', 's1-2');
    expect(chosen.of('a')).toEqual(['s1-1']);
    chosen.clear('a');
    expect(chosen.of('a')).toEqual([]);
    expect(chosen.of('b')).toEqual(['s2-1']);
    expect(changed).toHaveBeenCalledTimes(5);
  });
});
