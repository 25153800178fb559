/** One row of the section of runs. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { RunView, SweepView } from '../api/types';
import { decodeNumber } from '../values';
import { LockMark, lockText } from '../components/lock';
import { finishedCount, SweepProgress } from '../components/progress';
import { StatusMark, statusWord } from '../components/status';
import type { ITreeRowProps } from '../components/tree';
import { TreeRow } from '../components/tree';
import {
  baseName,
  formatAgo,
  formatDuration,
  formatNumber,
  formatParameters,
  formatTime,
  formatValues,
  lastLine
} from '../format';
import { isFinished, runState } from '../status';
import type { ISweepTarget, IRunTarget } from '../targets';
import type { IRowHandlers } from './handlers';
import type { ILegendRow, IRestRow, IRunRow, ISweepRow } from './rows';
import { paceText, placeText } from './words';

interface IRowProps {
  readonly trans: TranslationBundle;
  readonly now: number;
  readonly handlers: IRowHandlers;
  readonly onExpand: (isExpanded: boolean) => void;
}

/** A sweep with its bar and best metric, or a single run in one row. */
export function SweepRow(
  props: IRowProps & { readonly row: ISweepRow; readonly target: ISweepTarget }
): ReactElement {
  const { row, target, trans, now, handlers } = props;
  const { sweep } = row;
  const isSingle = row.isExpanded === null;
  return (
    <TreeRow
      {...behaviour(target, handlers)}
      id={row.key}
      level={1}
      isExpanded={row.isExpanded}
      className="jp-Mlops-item jp-Mlops-sweep"
      data={{ 'data-sweep-id': sweep.id, 'data-status': sweep.status }}
      title={sweepTitle(sweep)}
      onExpand={props.onExpand}
    >
      <span className="jp-Mlops-lines">
        <span className="jp-Mlops-line">
          <StatusMark status={sweep.status} trans={trans} />
          <span className="jp-Mlops-name">{baseName(sweep.notebook)}</span>
          {row.run && <LockMark run={row.run} trans={trans} />}
          {isSingle ? (
            <span className="jp-Mlops-number jp-Mlops-muted">
              {singleFact(row, trans, now)}
            </span>
          ) : (
            <SweepProgress sweep={sweep} trans={trans} />
          )}
        </span>
        {!isSingle && <SweepFacts sweep={sweep} trans={trans} now={now} />}
        {row.run && <Pace run={row.run} trans={trans} now={now} />}
        {isSingle && row.run?.error && (
          <span className="jp-Mlops-line jp-Mlops-error">
            {lastLine(row.run.error)}
          </span>
        )}
      </span>
    </TreeRow>
  );
}

/** A run below its sweep: parameters, then what matters in its state. */
export function RunRow(
  props: IRowProps & { readonly row: IRunRow; readonly target: IRunTarget }
): ReactElement {
  const { row, target, trans, now, handlers } = props;
  const { run } = row;
  const parameters = formatParameters(run.parameters, row.names);
  return (
    <TreeRow
      {...behaviour(target, handlers)}
      id={row.key}
      level={2}
      isExpanded={null}
      className="jp-Mlops-item jp-Mlops-run"
      data={{ 'data-run-id': run.id, 'data-status': run.status }}
      title={[parameters, run.error, lockText(run, trans)]
        .filter(Boolean)
        .join('\n')}
      label={runLabel(run, parameters, trans)}
    >
      <span className="jp-Mlops-lines">
        <span className="jp-Mlops-line">
          <StatusMark status={runState(run)} trans={trans} />
          <span className="jp-Mlops-parameters">
            {(row.hasLegend
              ? formatValues(run.parameters, row.names)
              : parameters) || trans.__('defaults')}
          </span>
          <LockMark run={run} trans={trans} />
          <RunFacts run={run} trans={trans} now={now} />
        </span>
        <Pace run={run} trans={trans} now={now} />
        {run.status === 'failed' && run.error && (
          <span className="jp-Mlops-line jp-Mlops-error">
            {lastLine(run.error)}
          </span>
        )}
      </span>
    </TreeRow>
  );
}

/** Stands for runs that are not listed; it opens the sweep, which lists all. */
export function RestRow(
  props: IRowProps & { readonly row: IRestRow; readonly target: ISweepTarget }
): ReactElement {
  const { row, target, trans, handlers } = props;
  return (
    <TreeRow
      {...behaviour(target, handlers)}
      id={row.key}
      level={2}
      isExpanded={null}
      className="jp-Mlops-rest"
    >
      {row.kind === 'queued' ? (
        <>
          <StatusMark status="queued" trans={trans} />
          <span>{trans.__('%1 queued', row.count)}</span>
        </>
      ) : (
        <span>{trans._n('%1 more…', '%1 more…', row.count)}</span>
      )}
    </TreeRow>
  );
}

function behaviour(
  target: ISweepTarget | IRunTarget,
  handlers: IRowHandlers
): Pick<ITreeRowProps, 'onDelete' | 'onMenu' | 'onOpen' | 'onSelect'> {
  return {
    onOpen: () => handlers.open(target),
    onSelect: () => handlers.select(target),
    onMenu: () => handlers.point(target),
    onDelete: () => handlers.remove(target)
  };
}

function SweepFacts(props: {
  readonly sweep: SweepView;
  readonly trans: TranslationBundle;
  readonly now: number;
}): ReactElement {
  const { sweep, trans, now } = props;
  const best = decodeNumber(sweep.best?.value);
  const facts = [
    sweep.metric !== null && best !== null
      ? trans.__('best %1 %2', sweep.metric, formatNumber(best))
      : '',
    when(sweep, trans, now)
  ];
  return (
    <span className="jp-Mlops-line jp-Mlops-muted">
      {sweep.counts.failed > 0 && (
        <span className="jp-Mlops-error">
          {trans.__('%1 failed', sweep.counts.failed)}
        </span>
      )}
      <span className="jp-Mlops-facts">
        {facts.filter(Boolean).join(' · ')}
      </span>
    </span>
  );
}

/** How long a running run has taken and will take. */
function Pace(props: {
  readonly run: RunView;
  readonly trans: TranslationBundle;
  readonly now: number;
}): ReactElement | null {
  const { run, trans, now } = props;
  return run.status === 'running' ? (
    <span className="jp-Mlops-line jp-Mlops-muted">
      <span className="jp-Mlops-facts jp-Mlops-number">
        {paceText(run, now, trans)}
      </span>
    </span>
  ) : null;
}

function RunFacts(props: {
  readonly run: RunView;
  readonly trans: TranslationBundle;
  readonly now: number;
}): ReactElement {
  const { run, trans, now } = props;
  const value = decodeNumber(run.value);
  if (run.status !== 'succeeded' && run.status !== 'cancelled') {
    const isKnown = run.status !== 'failed' || run.cell !== null;
    return (
      <span className="jp-Mlops-number jp-Mlops-muted">
        {isKnown ? placeText(run, now, trans) : ''}
      </span>
    );
  }
  return (
    <>
      {value !== null && (
        <span className="jp-Mlops-number" title={String(value)}>
          {formatNumber(value)}
        </span>
      )}
      <span className="jp-Mlops-number jp-Mlops-muted jp-Mlops-duration">
        {run.duration === null ? '' : formatDuration(run.duration, trans)}
      </span>
    </>
  );
}

/** What a screen reader says of a run. */
function runLabel(
  run: RunView,
  parameters: string,
  trans: TranslationBundle
): string {
  const value = decodeNumber(run.value);
  return [
    statusWord(runState(run), trans),
    parameters || trans.__('defaults'),
    run.status === 'running' ? placeText(run, 0, trans) : '',
    run.metric !== null && value !== null
      ? `${run.metric} ${formatNumber(value)}`
      : '',
    run.error ? lastLine(run.error) : '',
    lockText(run, trans)
  ]
    .filter(Boolean)
    .join(', ');
}

/** Names the parameters of the runs below it, and their metric. */
export function Legend(props: { readonly row: ILegendRow }): ReactElement {
  const { names, sweep } = props.row;
  return (
    <div className="jp-Mlops-legend jp-Mlops-muted" aria-hidden="true">
      <span className="jp-Mlops-ellipsis">{names.join(' · ')}</span>
      <span className="jp-Mlops-number">{sweep.metric}</span>
    </div>
  );
}

function singleFact(
  row: ISweepRow,
  trans: TranslationBundle,
  now: number
): string {
  if (row.run && !isFinished(row.run.status)) {
    return placeText(row.run, now, trans);
  }
  return when(row.sweep, trans, now);
}

/** Time left while it runs, then how long ago it ended. */
function when(sweep: SweepView, trans: TranslationBundle, now: number): string {
  if (!isFinished(sweep.status)) {
    if (sweep.remaining !== null) {
      return trans.__('~%1 left', formatDuration(sweep.remaining, trans));
    }
    return sweep.status === 'queued' && finishedCount(sweep) === 0
      ? trans.__('queued')
      : '';
  }
  return formatAgo(sweep.finished_at ?? sweep.created_at, now, trans);
}

function sweepTitle(sweep: SweepView): string {
  const space = Object.entries(sweep.space).map(
    ([name, text]) => `${name} = ${text}`
  );
  const time = formatTime(sweep.finished_at ?? sweep.created_at);
  return [sweep.notebook, ...space, time].join('\n');
}
