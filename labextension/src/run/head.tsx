/** The head of a run's tab: what it is, how far it came, and what can be done. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { AttemptView, RunView } from '../api/types';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { LockMark } from '../components/lock';
import { Problem } from '../components/problem';
import { StatusMark, statusWord } from '../components/status';
import { Toolbar } from '../components/toolbar';
import {
  formatAgo,
  formatDuration,
  formatFull,
  formatNumber,
  formatTime,
  formatValue,
  lastLine
} from '../format';
import { paceText, placeText } from '../runs/words';
import { canRetry, isFinished, runState } from '../status';
import { decode, decodeNumber } from '../values';
import type { RunModel } from './model';

export interface IRunHeadProps {
  readonly model: RunModel;
  readonly trans: TranslationBundle;
  /** Run a command on the run. */
  readonly onCommand: (id: string) => void;
}

export function RunHead(props: IRunHeadProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const now = useNow(1000);
  const { run, store } = model;
  if (!run) {
    return (
      <div className="jp-Mlops-sweepHead jp-Mlops-muted">
        {model.isGone
          ? trans.__('This run does not exist any more.')
          : trans.__('Loading…')}
      </div>
    );
  }
  return (
    <section
      className="jp-Mlops-sweepHead"
      aria-label={trans.__('Summary')}
      data-status={run.status}
    >
      {store.problem && (
        <Problem
          problem={store.problem}
          trans={trans}
          onRetry={() => void store.refresh()}
        />
      )}
      <div className="jp-Mlops-sweepTitle">
        <StatusMark status={runState(run)} trans={trans} />
        <h2 title={run.notebook}>{run.notebook}</h2>
        <span>{stateText(run, now, trans)}</span>
        <Metric run={run} />
        <Parameters run={run} trans={trans} />
      </div>
      <div className="jp-Mlops-sweepFacts jp-Mlops-muted">
        <Time run={run} now={now} trans={trans} />
        <Place attempt={model.attempt} run={run} trans={trans} />
        <LockMark run={run} trans={trans} />
      </div>
      {run.error !== null && (
        <div className="jp-Mlops-error jp-Mlops-ellipsis" title={run.error}>
          {lastLine(run.error)}
        </div>
      )}
      <Actions {...props} run={run} />
    </section>
  );
}

/** The state in a word, and where it is. */
function stateText(
  run: RunView,
  now: number,
  trans: TranslationBundle
): string {
  const word = statusWord(runState(run), trans);
  const place = placeText(run, now, trans);
  return word === place ? word : `${word} · ${place}`;
}

function Metric(props: { readonly run: RunView }): ReactElement | null {
  const { run } = props;
  const value = decodeNumber(run.value);
  return run.metric !== null && value !== null ? (
    <span>
      {run.metric} <strong title={String(value)}>{formatNumber(value)}</strong>
    </span>
  ) : null;
}

/** The parameters as chips. */
function Parameters(props: {
  readonly run: RunView;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { run, trans } = props;
  const entries = Object.entries(run.parameters);
  return entries.length > 0 ? (
    <ul className="jp-Mlops-chips" aria-label={trans.__('Parameters')}>
      {entries.map(([name, encoded]) => (
        <li key={name} title={`${name} = ${formatFull(decode(encoded))}`}>
          <span className="jp-Mlops-muted">{name}</span>{' '}
          {formatValue(decode(encoded))}
        </li>
      ))}
    </ul>
  ) : null;
}

/** How long it takes or took, and when that was. */
function Time(props: {
  readonly run: RunView;
  readonly now: number;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { run, now, trans } = props;
  if (run.status === 'running') {
    return <span>{paceText(run, now, trans)}</span>;
  }
  return run.finished_at !== null && run.duration !== null ? (
    <span title={formatTime(run.finished_at)}>
      {trans.__(
        '%1, took %2',
        formatAgo(run.finished_at, now, trans),
        formatDuration(run.duration, trans)
      )}
    </span>
  ) : null;
}

/** Where it ran, how its kernel was started, and which attempt it is. */
function Place(props: {
  readonly attempt: AttemptView | null;
  readonly run: RunView;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { attempt, run, trans } = props;
  return attempt ? (
    <>
      <span>{trans.__('on %1', attempt.node ?? attempt.executor)}</span>
      <span>{trans.__('kernel started %1', attempt.start)}</span>
      {run.attempts > 1 && <span>{trans.__('attempt %1', run.attempts)}</span>}
    </>
  ) : null;
}

function Actions(
  props: IRunHeadProps & { readonly run: RunView }
): ReactElement {
  const { run, trans, onCommand } = props;
  const isLive = run.status === 'running';
  return (
    <Toolbar label={trans.__('Actions')}>
      {(isLive || run.output !== null) && (
        <Button
          className="jp-mod-styled jp-mod-accept"
          small
          onClick={() =>
            onCommand(isLive ? CommandIDs.openPartial : CommandIDs.openOutput)
          }
        >
          {isLive
            ? trans.__('Open notebook so far')
            : trans.__('Open notebook')}
        </Button>
      )}
      {run.status === 'failed' && run.cell !== null && (
        <Button small onClick={() => onCommand(CommandIDs.resumeRun)}>
          {trans.__('Retry from cell %1…', run.cell)}
        </Button>
      )}
      {canRetry(run.status) && (
        <Button small onClick={() => onCommand(CommandIDs.retryRun)}>
          {trans.__('Retry')}
        </Button>
      )}
      {!isFinished(run.status) && (
        <Button small onClick={() => onCommand(CommandIDs.cancelRun)}>
          {trans.__('Cancel')}
        </Button>
      )}
      {run.status === 'succeeded' && (
        <Button small onClick={() => onCommand(CommandIDs.registerRun)}>
          {trans.__('Register model…')}
        </Button>
      )}
      {run.kind === 'sweep' && (
        <Button small onClick={() => onCommand(CommandIDs.openSweep)}>
          {trans.__('Open sweep')}
        </Button>
      )}
    </Toolbar>
  );
}
