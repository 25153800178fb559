/** The cells of a run: how each went, with bars as long as they took. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useEffect, useRef } from 'react';

import { useNow, useSignal } from '../components/hooks';
import { StatusMark } from '../components/status';
import { formatDuration } from '../format';
import type { State } from '../status';
import type { CellState, ICell } from './cells';
import type { RunModel } from './model';

export interface ITimelineProps {
  readonly model: RunModel;
  readonly trans: TranslationBundle;
}

/** The cell whose outputs are shown. */
export const CHOSEN = '.jp-Mlops-cell[aria-current="true"]';

const MARKS: Readonly<Record<CellState, State>> = {
  succeeded: 'succeeded',
  kept: 'succeeded',
  running: 'running',
  failed: 'failed',
  waiting: 'queued'
};

/** States that the mark does not tell. */
const SAID: ReadonlySet<CellState> = new Set(['kept', 'waiting']);

export function Timeline(props: ITimelineProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const now = useNow(1000);
  const list = useRef<HTMLOListElement>(null);
  const cells = model.cells(now);
  const chosen = model.cell;
  const isKnown = chosen !== null;
  useEffect(() => {
    // The tab was activated before its cells were there.
    const panel = list.current?.closest('.jp-Mlops-runPanel');
    if (isKnown && panel && panel === document.activeElement) {
      panel.querySelector<HTMLElement>(CHOSEN)?.focus();
    }
  }, [isKnown]);
  const move = (to: number): void => {
    const number = Math.max(1, Math.min(cells.length, to));
    model.choose(number);
    list.current
      ?.querySelector<HTMLElement>(`[data-cell="${String(number)}"]`)
      ?.focus();
  };
  if (cells.length === 0) {
    return (
      <p className="jp-Mlops-empty">
        {model.run?.status === 'queued'
          ? trans.__('It has not begun yet.')
          : trans.__('Nothing is known of its cells.')}
      </p>
    );
  }
  return (
    <ol
      ref={list}
      className="jp-Mlops-timeline"
      aria-label={trans.__('Cells of the run')}
    >
      {cells.map(cell => (
        <li key={cell.number}>
          <Row
            cell={cell}
            isFinished={model.run?.status !== 'running'}
            isChosen={cell.number === chosen}
            // Arrows go on from the chosen cell.
            isActive={cell.number === (chosen ?? 1)}
            trans={trans}
            onChoose={() => model.choose(cell.number)}
            onMove={move}
          />
        </li>
      ))}
    </ol>
  );
}

function Row(props: {
  readonly cell: ICell;
  readonly isFinished: boolean;
  readonly isChosen: boolean;
  readonly isActive: boolean;
  readonly trans: TranslationBundle;
  readonly onChoose: () => void;
  readonly onMove: (to: number) => void;
}): ReactElement {
  const { cell, trans, onMove } = props;
  const word = stateWord(cell.state, props.isFinished, trans);
  const time = timeText(cell.seconds, trans);
  const label = [trans.__('cell %1', cell.number), word, time, cell.title];
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = target(event.key, cell.number);
    if (to !== null) {
      event.preventDefault();
      onMove(to);
    }
  };
  return (
    <button
      className="jp-Mlops-cell"
      data-cell={cell.number}
      data-state={cell.state}
      tabIndex={props.isActive ? 0 : -1}
      aria-current={props.isChosen}
      aria-label={label.filter(Boolean).join(', ')}
      title={cell.title}
      onClick={props.onChoose}
      onKeyDown={onKeyDown}
    >
      <span className="jp-Mlops-line">
        <StatusMark status={MARKS[cell.state]} trans={trans} />
        <span className="jp-Mlops-number jp-Mlops-muted">{cell.number}</span>
        <code className="jp-Mlops-ellipsis">{cell.title}</code>
        <span className="jp-Mlops-number jp-Mlops-muted jp-Mlops-cellTime">
          {SAID.has(cell.state)
            ? [word, time].filter(Boolean).join(' · ')
            : time}
        </span>
      </span>
      <span className="jp-Mlops-cellBar" aria-hidden="true">
        <span
          data-state={cell.state}
          style={{ width: `${String(cell.share * 100)}%` }}
        />
      </span>
    </button>
  );
}

function timeText(seconds: number | null, trans: TranslationBundle): string {
  if (seconds === null) {
    return '';
  }
  return seconds < 0.05 ? trans.__('< 0.1 s') : formatDuration(seconds, trans);
}

function target(key: string, number: number): number | null {
  switch (key) {
    case 'ArrowDown':
      return number + 1;
    case 'ArrowUp':
      return number - 1;
    case 'Home':
      return 1;
    case 'End':
      return Number.MAX_SAFE_INTEGER;
    default:
      return null;
  }
}

function stateWord(
  state: CellState,
  isFinished: boolean,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'succeeded':
      return trans.__('succeeded');
    case 'kept':
      return trans.__('outputs kept');
    case 'running':
      return trans.__('running');
    case 'failed':
      return trans.__('failed');
    case 'waiting':
      return isFinished ? trans.__('not run') : trans.__('waits');
  }
}
