/** How far a sweep is. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { SweepView } from '../api/types';
import { isFinished } from '../status';

/** Number of runs of which nothing more will come. */
export function finishedCount(sweep: SweepView): number {
  const { succeeded, failed, cancelled } = sweep.counts;
  return succeeded + failed + cancelled;
}

/** A bar in parts, one for each state, with the count beside it. */
export function SweepProgress(props: {
  readonly sweep: SweepView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { sweep, trans } = props;
  const done = finishedCount(sweep);
  const count = isFinished(sweep.status)
    ? trans._n('%1 run', '%1 runs', sweep.total)
    : trans.__('%1/%2', done, sweep.total);
  return (
    <span className="jp-Mlops-progress">
      {!isFinished(sweep.status) && (
        <span
          className="jp-Mlops-bar"
          role="progressbar"
          aria-label={trans.__('Finished runs')}
          aria-valuemin={0}
          aria-valuemax={sweep.total}
          aria-valuenow={done}
        >
          {(['succeeded', 'failed', 'cancelled', 'running'] as const).map(
            status => (
              <span
                key={status}
                data-status={status}
                style={{ flexGrow: sweep.counts[status] }}
              />
            )
          )}
          <span style={{ flexGrow: sweep.counts.queued }} />
        </span>
      )}
      <span className="jp-Mlops-number">{count}</span>
    </span>
  );
}
