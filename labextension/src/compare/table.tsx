/** Runs side by side: a column for each, what differs first. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { CompareRow, RunView } from '../api/types';
import { useSignal } from '../components/hooks';
import { StatusMark } from '../components/status';
import { formatDuration, formatFull, formatSize, formatValue } from '../format';
import { runState } from '../status';
import { decode } from '../values';
import type { CompareModel } from './model';

interface IProps {
  readonly model: CompareModel;
  readonly trans: TranslationBundle;
  readonly onOpen: (run: RunView) => void;
}

/** A row, and what kind of thing it is of. */
interface INamed {
  readonly kind: string;
  readonly row: CompareRow;
}

export function CompareTable(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { view, runs } = model;
  if (!view) {
    return (
      <p className="jp-Mlops-empty">
        {model.problem ? '' : trans.__('Loading…')}
      </p>
    );
  }
  const rows: readonly INamed[] = [
    ...view.parameters.map(row => ({ kind: trans.__('parameter'), row })),
    ...view.metrics.map(row => ({ kind: trans.__('metric'), row })),
    ...view.facts.map(row => ({ kind: trans.__('fact'), row }))
  ];
  return (
    <table
      className="jp-Mlops-table jp-Mlops-compareTable"
      aria-label={trans.__('Runs side by side')}
    >
      <thead>
        <tr>
          <th scope="col" colSpan={2}>
            {trans._n('%1 run', '%1 runs', runs.length)}
          </th>
          {runs.map(run => (
            <th key={run.id} scope="col">
              <button
                title={trans.__('Open the run')}
                onClick={() => props.onOpen(run)}
              >
                <StatusMark status={runState(run)} trans={trans} /> {run.id}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <Rows
        {...props}
        title={trans.__('What differs')}
        rows={rows.filter(each => each.row.differs)}
      />
      <Rows
        {...props}
        title={trans.__('The same in all')}
        rows={rows.filter(each => !each.row.differs)}
      />
    </table>
  );
}

function Rows(
  props: IProps & { readonly title: string; readonly rows: readonly INamed[] }
): ReactElement | null {
  const { model, trans, title, rows } = props;
  if (rows.length === 0) {
    return null;
  }
  return (
    <tbody>
      <tr className="jp-Mlops-compareGroup">
        <th scope="rowgroup" colSpan={2 + model.runs.length}>
          {title}
        </th>
      </tr>
      {rows.map(({ kind, row }) => (
        <tr key={`${kind} ${row.name}`} data-differs={row.differs}>
          <th scope="row">{row.name}</th>
          <td className="jp-Mlops-compareKind jp-Mlops-muted">{kind}</td>
          {model.runs.map(run => (
            <ValueCell key={run.id} row={row} run={run.id} trans={trans} />
          ))}
        </tr>
      ))}
    </tbody>
  );
}

function ValueCell(props: {
  readonly row: CompareRow;
  readonly run: string;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { row, run, trans } = props;
  if (!(run in row.values)) {
    return (
      <td className="jp-Mlops-muted" title={trans.__('not known')}>
        –
      </td>
    );
  }
  const value = decode(row.values[run]);
  return <td title={formatFull(value)}>{factText(row.name, value, trans)}</td>;
}

/** Write a fact by its name: seconds, bytes and hashes as everywhere. */
function factText(
  name: string,
  value: ReturnType<typeof decode>,
  trans: TranslationBundle
): string {
  if (typeof value === 'number') {
    if (name === 'duration' || name === 'cpu_time') {
      return formatDuration(value, trans);
    }
    if (name === 'peak_memory') {
      return formatSize(value, trans);
    }
  }
  const isHash = /(hash|sha256|commit)$/.test(name);
  return isHash && typeof value === 'string'
    ? value.slice(0, 12)
    : formatValue(value);
}
