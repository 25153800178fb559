/** The section of runs. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useEffect, useRef, useState } from 'react';

import { Filter } from '../components/filter';
import { useNow, useSignal } from '../components/hooks';
import { Tree } from '../components/tree';
import type { ProjectStore } from '../projects/store';
import type { IRowHandlers } from './handlers';
import type { RunsModel } from './model';
import { Legend, RestRow, RunRow, SweepRow } from './row';
import type { Row } from './rows';

export interface IRunsViewProps {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
  readonly handlers: IRowHandlers;
  /** Choose a notebook and run it. */
  readonly onRun: () => void;
  /** Whether the example can be fetched here. */
  readonly canTryExample: () => boolean;
  /** Fetch the example project and run it. */
  readonly onExample: () => void;
}

export function RunsView(props: IRunsViewProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const [held, setHeld] = useState<readonly string[] | null>(null);
  const node = useRef<HTMLDivElement>(null);
  const rows = model.rows(held);
  const keys = rows.flatMap(row => (row.kind === 'legend' ? [] : row.key));
  const { store } = model;
  const now = useNow(store?.isActive ? 1000 : 10_000);

  useEffect(() => {
    const revealed = model.takeRevealed();
    if (revealed !== null) {
      const row = node.current?.querySelector<HTMLElement>(
        `[data-key="${CSS.escape(revealed)}"]`
      );
      row?.scrollIntoView({ block: 'nearest' });
    }
  });

  return (
    <div
      ref={node}
      className="jp-Mlops-section"
      aria-busy={!store?.isLoaded}
      // Nothing moves while the pointer is over the rows.
      onMouseEnter={() => setHeld(keys)}
      onMouseLeave={() => setHeld(null)}
    >
      {model.isFiltering && (
        <Filter
          text={model.filter}
          label={trans.__('Filter runs')}
          placeholder={trans.__('Notebook, parameter, status or error')}
          onChange={text => {
            model.filter = text;
          }}
          onClose={() => {
            model.isFiltering = false;
          }}
        />
      )}
      {store && rows.length > 0 ? (
        <Tree label={trans.__('Runs')} keys={keys}>
          {rows.map(row => (
            <AnyRow
              {...props}
              key={row.key}
              row={row}
              store={store}
              now={now}
            />
          ))}
        </Tree>
      ) : (
        <Nothing {...props} />
      )}
      {store?.hasMore && !model.filter && (
        <Button minimal small onClick={() => store.loadMore()}>
          {trans.__('Show older')}
        </Button>
      )}
    </div>
  );
}

function AnyRow(
  props: IRunsViewProps & {
    readonly row: Row;
    readonly store: ProjectStore;
    readonly now: number;
  }
): ReactElement {
  const { row, store, model } = props;
  const { sweep } = row;
  const common = {
    trans: props.trans,
    now: props.now,
    handlers: props.handlers,
    onExpand: (isExpanded: boolean) => model.expand(sweep.id, isExpanded)
  };
  const target = { kind: 'sweep', store, sweep } as const;
  switch (row.kind) {
    case 'sweep':
      return <SweepRow {...common} row={row} target={target} />;
    case 'run':
      return (
        <RunRow
          {...common}
          row={row}
          target={{ kind: 'run', store, sweep, run: row.run }}
        />
      );
    case 'legend':
      return <Legend row={row} />;
    default:
      return <RestRow {...common} row={row} target={target} />;
  }
}

/** What takes the place of rows where there are none. */
function Nothing(props: IRunsViewProps): ReactElement | null {
  const { model, trans } = props;
  if (!model.store?.isLoaded) {
    const hasProblem = model.store?.problem ?? model.projects.problem;
    return hasProblem ? null : (
      <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>
    );
  }
  if (model.filter) {
    return (
      <p className="jp-Mlops-empty">
        {trans.__('No run matches “%1”.', model.filter)}
      </p>
    );
  }
  const hasExample = props.canTryExample();
  return (
    <div className="jp-Mlops-empty">
      <p>
        {hasExample
          ? trans.__(
              'No runs yet. Open a notebook and choose “Run with parameters…”, or try the example.'
            )
          : trans.__(
              'No runs yet. Open a notebook and choose “Run with parameters…”.'
            )}
      </p>
      <Button className="jp-mod-styled jp-mod-accept" onClick={props.onRun}>
        {trans.__('Run with parameters…')}
      </Button>
      {hasExample && (
        <Button onClick={props.onExample}>{trans.__('Try the example')}</Button>
      )}
    </div>
  );
}
