import { beforeEach, describe, expect, it } from 'vitest';

import { aRun, aSweep } from '../../__tests__/samples';
import { Entities } from '../entities';

const OLD = aSweep();
const NEW = aSweep({ id: 's2', created_at: '2026-03-01T13:00:00Z' });

describe('Entities', () => {
  let entities: Entities;
  const ids = (): string[] => entities.sweeps.map(sweep => sweep.id);

  beforeEach(() => {
    entities = new Entities();
    entities.beginList();
    entities.list([OLD]);
  });

  it('put a new sweep first, and an old one nowhere in the list', () => {
    entities.putSweep(NEW);
    entities.putSweep(aSweep({ id: 's0', created_at: '2026-02-01T12:00:00Z' }));
    expect(ids()).toEqual(['s2', 's1']);
    expect(entities.sweep('s0')).not.toBeNull();
  });

  it('keep what has changed while the list was under way', () => {
    entities.beginList();
    entities.putSweep(NEW);
    entities.putSweep({ ...OLD, status: 'succeeded' });
    entities.list([OLD]);
    expect(ids()).toEqual(['s2', 's1']);
    expect(entities.sweep('s1')?.status).toBe('succeeded');
  });

  it('drop what a fresh list does not have', () => {
    entities.putSweep(NEW);
    entities.beginList();
    entities.list([OLD]);
    expect(ids()).toEqual(['s1']);
  });

  it('tell which sweeps of a list have ended', () => {
    entities.beginList();
    const ended = entities.list([{ ...OLD, status: 'failed' }, NEW]);
    expect(ended.map(sweep => sweep.id)).toEqual(['s1']);
  });

  it('know what is missing until it comes back', () => {
    entities.putRuns('s1', [aRun()]);
    entities.removeSweep('s1');
    expect(entities.isMissing('s1')).toBe(true);
    expect(entities.runs('s1')).toBeNull();
    expect(ids()).toEqual([]);
    entities.putSweep(OLD);
    expect(entities.isMissing('s1')).toBe(false);
  });

  it('keep a run only of a sweep whose runs are known', () => {
    entities.putRun('s1', aRun());
    expect(entities.runs('s1')).toBeNull();
    entities.putRuns('s1', [aRun({ cell: 1 })]);
    entities.putRun('s1', aRun({ cell: 2 }));
    expect(entities.runs('s1')).toMatchObject([{ cell: 2 }]);
    entities.removeRun('s1', 's1-1');
    expect(entities.runs('s1')).toEqual([]);
  });
});
