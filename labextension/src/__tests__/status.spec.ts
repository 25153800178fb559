import { describe, expect, it } from 'vitest';

import { countOf, retryCount, runState } from '../status';
import { aRun } from './samples';

describe('runs that were pruned', () => {
  const counts = {
    queued: 0,
    running: 0,
    succeeded: 2,
    failed: 1,
    cancelled: 5,
    pruned: 3
  };

  it('are told from those that somebody cancelled', () => {
    expect(runState(aRun({ status: 'cancelled', reason: 'pruned' }))).toBe(
      'pruned'
    );
    expect(runState(aRun({ status: 'cancelled', reason: 'user' }))).toBe(
      'cancelled'
    );
    expect(countOf('pruned', counts)).toBe(3);
    expect(countOf('cancelled', counts)).toBe(2);
    expect(countOf('succeeded', counts)).toBe(2);
  });

  it('are not tried again with the sweep', () => {
    expect(retryCount(counts)).toBe(3);
  });
});
