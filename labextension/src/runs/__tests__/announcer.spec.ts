import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { aSweep } from '../../__tests__/samples';
import { announcement } from '../announcer';

const trans = nullTranslator.load('jupyter_mlops');
const NONE = {
  queued: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  pruned: 0
};

describe('the announcement of a sweep’s end', () => {
  it('tells how many succeeded, and the best', () => {
    const sweep = aSweep({
      notebook: 'models/train.ipynb',
      counts: { ...NONE, succeeded: 12 },
      best: { run_id: 's1-3', value: 0.73128, parameters: {} }
    });
    expect(announcement(sweep, trans)).toBe(
      'train.ipynb: 12 runs succeeded, best auc 0.7313'
    );
  });

  it('tells what failed or was cancelled', () => {
    const counts = { ...NONE, succeeded: 1, failed: 2, cancelled: 3 };
    expect(announcement(aSweep({ counts }), trans)).toBe(
      'train.ipynb: 1 run succeeded, 2 failed, 3 cancelled'
    );
  });

  it('does not count what there is none of', () => {
    const counts = { ...NONE, failed: 1 };
    expect(announcement(aSweep({ counts }), trans)).toBe(
      'train.ipynb: 1 run failed'
    );
  });

  it('tells pruned runs from those that somebody cancelled', () => {
    const counts = { ...NONE, succeeded: 1, cancelled: 5, pruned: 4 };
    expect(announcement(aSweep({ counts }), trans)).toBe(
      'train.ipynb: 1 run succeeded, 4 pruned, 1 cancelled'
    );
  });
});
