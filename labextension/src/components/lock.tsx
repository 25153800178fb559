/** Says that a run had other packages than its project's lock names. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { RunView } from '../api/types';

/** In what the packages of a run differ from the lock; empty if they do not. */
export function lockText(run: RunView, trans: TranslationBundle): string {
  return run.environment === 'differs'
    ? trans.__('Its packages differ from %1.', run.differences ?? '')
    : '';
}

/** The mark of such a run; the tooltip names the packages. */
export function LockMark(props: {
  readonly run: RunView;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const text = lockText(props.run, props.trans);
  return text ? (
    <span className="jp-Mlops-lockMark" title={text}>
      {props.trans.__('≠ lock')}
    </span>
  ) : null;
}
