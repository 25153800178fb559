/** The state of a feature by its shape; the word is the tooltip and what a screen reader says. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { SHAPES } from '../components/status';
import type { FeatureState } from './words';
import { stateWord } from './words';

/** Within a square of 16. */
const MARKS: Readonly<Record<FeatureState, ReactElement>> = {
  fresh: SHAPES.fresh,
  stale: SHAPES.stale,
  never: SHAPES.queued,
  // A flash.
  demand: <path d="M9 2 3.5 9.25H8L7 14l5.5-7.25H8z" />
};

export function FeatureMark(props: {
  readonly state: FeatureState;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { state, trans } = props;
  const word = stateWord(state, trans);
  return (
    <span
      className="jp-Mlops-status"
      data-status={state}
      role="img"
      aria-label={word}
      title={word}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {MARKS[state]}
      </svg>
    </span>
  );
}
