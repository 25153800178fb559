/** How many stages are in which state. */
import type { ReactElement } from 'react';

import type { StageView } from '../api/types';
import { countStates, STATES } from './words';

/** A bar in parts, one for each state; the words beside it say the same. */
export function StatesBar(props: {
  readonly stages: readonly StageView[];
}): ReactElement {
  const counts = countStates(props.stages);
  return (
    <span className="jp-Mlops-bar" aria-hidden="true">
      {[...STATES].reverse().map(state => (
        <span
          key={state}
          data-status={state}
          style={{ flexGrow: counts.get(state) ?? 0 }}
        />
      ))}
    </span>
  );
}
