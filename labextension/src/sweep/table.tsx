/** The runs of a sweep as a table that stays quick with thousands of them. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement, UIEvent } from 'react';
import { useCallback, useEffect, useRef, useState } from 'react';

import { useNow, useSignal } from '../components/hooks';
import { openMenu } from '../components/tree';
import type { Chosen } from '../runs/chosen';
import type { IRowHandlers } from '../runs/handlers';
import { isFinished } from '../status';
import type { IRunTarget } from '../targets';
import { columnLabel, type IColumn } from './columns';
import type { SweepModel } from './model';
import { Cell } from './cell';

/** Height of a row in px, as in the style sheet. */
const ROW = 28;
/** Rows that are drawn above and below those in sight. */
const MARGIN = 20;

export interface ISweepTableProps {
  readonly model: SweepModel;
  readonly trans: TranslationBundle;
  readonly handlers: IRowHandlers;
  readonly chosen: Chosen;
}

export function SweepTable(props: ISweepTableProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  useSignal(props.chosen.changed);
  const now = useNow(1000);
  const [held, setHeld] = useState<ReadonlyMap<string, number> | null>(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState<string | null>(null);
  const focus = useRef(false);
  const node = useRef<HTMLDivElement>(null);
  const { columns } = model;
  const runs = settle(model.sorted, held);
  const height = node.current?.clientHeight ?? 600;
  const first = Math.max(0, Math.floor(top / ROW) - MARGIN);
  const last = Math.min(runs.length, Math.ceil((top + height) / ROW) + MARGIN);
  const shown = runs.slice(first, last);
  // The Tab key has to find a row among those that are drawn.
  const current = shown.find(run => run.id === active) ?? shown[0];

  const hasRows = runs.length > 0;
  useEffect(() => {
    // The tab was activated before its rows were there.
    const panel = node.current?.closest('.jp-Mlops-sweepPanel');
    if (hasRows && panel && panel === document.activeElement) {
      panel.querySelector<HTMLElement>('tr[tabindex="0"]')?.focus();
    }
  }, [hasRows]);
  useEffect(() => {
    // A row that is far away is drawn only after the table has scrolled.
    if (focus.current && current?.id === active) {
      focus.current = false;
      node.current
        ?.querySelector<HTMLElement>('tr[tabindex="0"]')
        ?.focus({ preventScroll: true });
    }
  });
  const move = useCallback(
    (to: number): void => {
      const run = runs[Math.max(0, Math.min(runs.length - 1, to))];
      const scroller = node.current;
      if (!run || !scroller) {
        return;
      }
      const offset = runs.indexOf(run) * ROW;
      const view = scroller.clientHeight - ROW;
      if (offset < scroller.scrollTop) {
        scroller.scrollTop = offset;
      } else if (offset + ROW > scroller.scrollTop + view) {
        scroller.scrollTop = offset + ROW - view;
      }
      focus.current = true;
      setActive(run.id);
    },
    [runs]
  );
  const { sweep, store } = model;
  return (
    <div
      ref={node}
      className="jp-Mlops-tableScroller"
      onScroll={(event: UIEvent<HTMLElement>) =>
        setTop(event.currentTarget.scrollTop)
      }
      // Nothing moves while the pointer is over the rows.
      onMouseEnter={() =>
        setHeld(new Map(runs.map((run, index) => [run.id, index])))
      }
      onMouseLeave={() => setHeld(null)}
    >
      <table
        className="jp-Mlops-table"
        role="grid"
        aria-label={trans.__('Runs')}
        aria-rowcount={runs.length + 1}
      >
        <Head {...props} columns={columns} onSort={() => setHeld(null)} />
        <tbody>
          {first > 0 && <tr aria-hidden style={{ height: first * ROW }} />}
          {shown.map((run, offset) => {
            const index = first + offset;
            return (
              sweep && (
                <Row
                  {...props}
                  key={run.id}
                  target={{ kind: 'run', store, sweep, run }}
                  index={index}
                  isActive={run === current}
                  columns={columns}
                  now={isFinished(run.status) ? 0 : now}
                  onActive={() => setActive(run.id)}
                  onMove={move}
                />
              )
            );
          })}
          {last < runs.length && (
            <tr aria-hidden style={{ height: (runs.length - last) * ROW }} />
          )}
        </tbody>
      </table>
    </div>
  );
}

function Head(
  props: ISweepTableProps & {
    readonly columns: readonly IColumn[];
    readonly onSort: () => void;
  }
): ReactElement {
  const { model, trans, columns, onSort } = props;
  return (
    <thead>
      <tr aria-rowindex={1}>
        <th scope="col" data-kind="choice" aria-label={trans.__('chosen')} />
        {columns.map(column => {
          const isSorted = model.sort?.key === column.key;
          const order = model.sort?.isDescending ? 'descending' : 'ascending';
          return (
            <th
              key={column.key}
              scope="col"
              data-kind={column.kind}
              aria-sort={isSorted ? order : 'none'}
            >
              <button
                onClick={() => {
                  onSort();
                  model.sortBy(column);
                }}
              >
                {columnLabel(column, trans)}
                {isSorted && (order === 'descending' ? ' ▾' : ' ▴')}
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function Row(
  props: ISweepTableProps & {
    readonly target: IRunTarget;
    readonly index: number;
    readonly isActive: boolean;
    readonly columns: readonly IColumn[];
    readonly now: number;
    readonly onActive: () => void;
    readonly onMove: (to: number) => void;
  }
): ReactElement {
  const { model, trans, handlers, target, index, columns, isActive } = props;
  const { run, sweep } = target;
  const isBest = run.id === sweep.best?.run_id;
  const project = model.store.project.path;
  const isChosen = props.chosen.has(project, run.id);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const action = rowAction(event, props);
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  };
  return (
    <tr
      className="jp-Mlops-item jp-Mlops-run"
      data-run-id={run.id}
      data-status={run.status}
      data-best={isBest}
      data-chosen={isChosen}
      aria-rowindex={index + 2}
      aria-selected={run.id === model.selected}
      tabIndex={isActive ? 0 : -1}
      onClick={event => event.currentTarget.focus()}
      onDoubleClick={() => handlers.open(target)}
      onContextMenu={() => handlers.point(target)}
      onFocus={() => {
        props.onActive();
        model.select(run.id);
        handlers.select(target);
      }}
      onKeyDown={onKeyDown}
    >
      <td data-kind="choice">
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={trans.__('Compare run %1', run.index)}
          checked={isChosen}
          onChange={() => props.chosen.toggle(project, run.id)}
        />
      </td>
      {columns.map(column => (
        <Cell
          key={column.key}
          column={column}
          run={run}
          isBest={isBest}
          now={props.now}
          trans={trans}
          onOpen={() => handlers.openOutput(target)}
        />
      ))}
    </tr>
  );
}

function rowAction(
  event: KeyboardEvent<HTMLElement>,
  props: Parameters<typeof Row>[0]
): (() => void) | undefined {
  const { index, target, handlers, onMove } = props;
  const node = event.currentTarget;
  switch (event.key) {
    case ' ':
      return () =>
        props.chosen.toggle(target.store.project.path, target.run.id);
    case 'ArrowDown':
      return () => onMove(index + 1);
    case 'ArrowUp':
      return () => onMove(index - 1);
    case 'PageDown':
      return () => onMove(index + 10);
    case 'PageUp':
      return () => onMove(index - 10);
    case 'Home':
      return () => onMove(0);
    case 'End':
      return () => onMove(Number.MAX_SAFE_INTEGER);
    case 'Enter':
      return () => handlers.open(target);
    case '/':
      return () => props.model.search.reach();
    case 'Delete':
      return () => handlers.remove(target);
    case 'ContextMenu':
      return () => openMenu(node);
    case 'F10':
      return event.shiftKey ? () => openMenu(node) : undefined;
    default:
      return undefined;
  }
}

/** Keep the held order of what is held; the rest follows in its own order. */
function settle<T extends { readonly id: string }>(
  items: readonly T[],
  held: ReadonlyMap<string, number> | null
): readonly T[] {
  return held
    ? [...items].sort(
        (left, right) =>
          (held.get(left.id) ?? held.size) - (held.get(right.id) ?? held.size)
      )
    : items;
}
