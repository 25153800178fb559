/** One cell of the table of runs. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { launchIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { RunView } from '../api/types';
import { LockMark } from '../components/lock';
import { StatusMark } from '../components/status';
import {
  formatDuration,
  formatFull,
  formatNumber,
  formatTime,
  formatValue,
  lastLine
} from '../format';
import { elapsedText, leftText, placeText } from '../runs/words';
import { runState } from '../status';
import type { IColumn } from './columns';
import { cellValue } from './columns';

interface ICellProps {
  readonly run: RunView;
  readonly column: IColumn;
  readonly isBest: boolean;
  /** The time in ms, for what is running. */
  readonly now: number;
  readonly trans: TranslationBundle;
  readonly onOpen: () => void;
}

export function Cell(props: ICellProps): ReactElement {
  const { run, column, trans } = props;
  const value = cellValue(run, column);
  switch (column.kind) {
    case 'status':
      return (
        <td data-kind="status">
          <StatusMark status={runState(run)} trans={trans} />
          <span className="jp-Mlops-muted">{stateText(props)}</span>
        </td>
      );
    case 'metric':
      return (
        <td data-kind="metric" title={value === null ? '' : formatFull(value)}>
          {props.isBest && column.name === run.metric && (
            <span className="jp-Mlops-best">{trans.__('best')}</span>
          )}
          {typeof value === 'number' ? formatNumber(value) : ''}
        </td>
      );
    case 'parameter':
      return (
        <td
          data-kind="parameter"
          data-numeric={typeof value === 'number'}
          title={value === null ? '' : formatFull(value)}
        >
          {run.parameters[column.name] === undefined ? '' : formatValue(value)}
        </td>
      );
    case 'duration':
      return (
        <td
          data-kind="duration"
          title={run.started_at === null ? '' : formatTime(run.started_at)}
        >
          {durationText(props)}
        </td>
      );
    case 'environment':
      return (
        <td data-kind="environment">
          <LockMark run={run} trans={trans} />
          {run.environment === 'same' && (
            <span className="jp-Mlops-muted">{trans.__('same')}</span>
          )}
        </td>
      );
    case 'error':
      return (
        <td data-kind="error" title={run.error ?? ''}>
          {run.error === null ? '' : lastLine(run.error)}
        </td>
      );
    case 'index':
      return (
        <td data-kind="index">
          {run.index}
          <button
            // The keyboard opens the row itself.
            tabIndex={-1}
            disabled={run.output === null}
            title={trans.__('Open the output notebook')}
            onClick={props.onOpen}
          >
            <launchIcon.react tag="span" elementSize="normal" />
          </button>
        </td>
      );
  }
}

/** The state in words, where a run is, and about how long it will take. */
function stateText({ run, now, trans }: ICellProps): string {
  return [placeText(run, now, trans), leftText(run, now, trans)]
    .filter(Boolean)
    .join(' · ');
}

function durationText(props: ICellProps): string {
  const { run, now, trans } = props;
  if (run.duration !== null) {
    return formatDuration(run.duration, trans);
  }
  return run.status === 'running' ? elapsedText(run, now, trans) : '';
}
