/** States by shape, by word and then by colour. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { EndpointStatus, StageState } from '../api/types';
import type { State } from '../status';

/** What a run, a sweep, a stage or an endpoint can be. */
export type AnyState = EndpointStatus | StageState | State;

/** Within a square of 16. */
export const SHAPES: Readonly<Record<AnyState, ReactElement>> = {
  queued: <circle cx="8" cy="8" r="5.25" />,
  running: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="M8 2.75a5.25 5.25 0 0 0 0 10.5z" className="jp-Mlops-solid" />
    </>
  ),
  succeeded: <path d="m3 8.5 3.5 3.5L13 4.5" />,
  failed: <path d="m4 4 8 8m0-8-8 8" />,
  cancelled: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="m4.3 11.7 7.4-7.4" />
    </>
  ),
  starting: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="M8 2.75a5.25 5.25 0 0 0 0 10.5z" className="jp-Mlops-solid" />
    </>
  ),
  ready: <path d="m3 8.5 3.5 3.5L13 4.5" />,
  // An arrow that goes round.
  restarting: <path d="M13.2 7.2A5.25 5.25 0 1 0 12.4 11M13.4 3v4.3H9.1" />,
  // Scissors.
  pruned: (
    <>
      <circle cx="4.25" cy="12" r="2" />
      <circle cx="11.75" cy="12" r="2" />
      <path d="M5.4 10.3 11 2m-.4 8.3L5 2" />
    </>
  ),
  fresh: <path d="m3 8.5 3.5 3.5L13 4.5" />,
  // An arrow that goes round.
  stale: <path d="M13.2 7.2A5.25 5.25 0 1 0 12.4 11M13.4 3v4.3H9.1" />,
  skipped: (
    <>
      <circle cx="8" cy="8" r="5.25" />
      <path d="m4.3 11.7 7.4-7.4" />
    </>
  ),
  // A snowflake.
  frozen: (
    <path d="M8 2v12M2.8 5l10.4 6m0-6L2.8 11M6 3l2 1.6L10 3M6 13l2-1.6 2 1.6" />
  )
};

/** The word for a state. */
export function statusWord(status: AnyState, trans: TranslationBundle): string {
  switch (status) {
    case 'queued':
      return trans.__('queued');
    case 'running':
      return trans.__('running');
    case 'succeeded':
      return trans.__('succeeded');
    case 'failed':
      return trans.__('failed');
    case 'cancelled':
      return trans.__('cancelled');
    case 'pruned':
      return trans.__('pruned');
    case 'starting':
      return trans.__('starting');
    case 'ready':
      return trans.__('ready');
    case 'restarting':
      return trans.__('restarting');
    case 'fresh':
      return trans.__('up to date');
    case 'stale':
      return trans.__('stale');
    case 'skipped':
      return trans.__('skipped');
    case 'frozen':
      return trans.__('frozen');
  }
}

/** A state's shape; its word is the tooltip and what a screen reader says. */
export function StatusMark(props: {
  readonly status: AnyState;
  readonly trans: TranslationBundle;
}): ReactElement {
  const word = statusWord(props.status, props.trans);
  return (
    <span
      className="jp-Mlops-status"
      data-status={props.status}
      role="img"
      aria-label={word}
      title={word}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {SHAPES[props.status]}
      </svg>
    </span>
  );
}
