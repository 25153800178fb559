/** What is wrong, since when, and the way out. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { formatTime } from '../format';
import type { IProblem } from '../projects/problem';

export function Problem(props: {
  readonly problem: IProblem;
  readonly trans: TranslationBundle;
  readonly onRetry: () => void;
}): ReactElement {
  const { problem, trans } = props;
  const since = problem.since.toLocaleTimeString(undefined, {
    timeStyle: 'short'
  });
  return (
    <div className="jp-Mlops-problem" role="alert">
      <span>{problem.message}</span>
      <span
        className="jp-Mlops-muted"
        title={formatTime(problem.since.toISOString())}
      >
        {trans.__('since %1', since)}
      </span>
      <Button small minimal onClick={props.onRetry}>
        {trans.__('Retry')}
      </Button>
    </div>
  );
}
