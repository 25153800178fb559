import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aRun } from '../../__tests__/samples';
import { stamp } from '../../projects/received';
import { elapsedText, leftText, paceText, placeText } from '../words';

const NOW = Date.parse('2026-03-01T12:01:00Z');
const trans = nullTranslator.load('jupyter_mlops');

describe('where a run is', () => {
  const place = (given: Parameters<typeof aRun>[0]): string =>
    placeText(aRun(given), NOW, trans);

  it('is the cell of those that there are', () => {
    expect(place({ cell: 3, cells: 7 })).toBe('cell 3/7');
    expect(place({ cell: null, cells: null })).toBe('running');
  });

  it('is how it is being stopped, once it is', () => {
    expect(place({ stopping: 'interrupt' })).toBe('stopping: interrupt');
    expect(place({ stopping: 'terminate' })).toBe('stopping: terminate');
    expect(place({ stopping: 'kill' })).toBe('stopping: kill');
  });

  it('is when it is tried again', () => {
    const queued = (not_before: string | null): string =>
      place({ status: 'queued', not_before });
    expect(queued('2026-03-01T12:01:12Z')).toBe('retry in 12 s');
    expect(queued('2026-03-01T12:04:10Z')).toBe('retry in 3 min 10 s');
    expect(queued('2026-03-01T12:00:59Z')).toBe('queued');
    expect(queued(null)).toBe('queued');
  });

  it('is where it failed, or how it ended', () => {
    expect(place({ status: 'failed', cell: 5 })).toBe('cell 5');
    expect(place({ status: 'failed', cell: null })).toBe('failed');
    expect(place({ status: 'cancelled', reason: 'pruned' })).toBe('pruned');
    expect(place({ status: 'cancelled' })).toBe('cancelled');
  });
});

describe('the pace of a run', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes on between two fetches', () => {
    const run = aRun({ elapsed: 4.2, remaining: 21 });
    stamp(run);
    expect(paceText(run, NOW, trans)).toBe('4.2 s · ~20 s left');
    expect(paceText(run, NOW + 15_000, trans)).toBe('19 s · ~6 s left');
  });

  it('says nothing of what is left once the estimate is used up', () => {
    const run = aRun({ elapsed: 4, remaining: 3 });
    stamp(run);
    expect(leftText(run, NOW + 2700, trans)).toBe('');
    expect(elapsedText(run, NOW + 6000, trans)).toBe('10 s');
  });

  it('does not estimate what is being stopped', () => {
    expect(
      leftText(aRun({ remaining: 20, stopping: 'kill' }), NOW, trans)
    ).toBe('');
    expect(leftText(aRun({ remaining: null }), NOW, trans)).toBe('');
  });

  it('counts from the start where the attempt’s own time is unknown', () => {
    expect(elapsedText(aRun({ elapsed: null }), NOW, trans)).toBe('59 s');
  });
});
