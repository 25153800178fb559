/** The parts of a run's tab beside the outputs: their names, the metrics and the context. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { formatFull, formatNumber } from '../format';
import { decode } from '../values';
import { contextFacts } from './facts';
import type { RunModel } from './model';
import type { Part } from './state';

interface IProps {
  readonly model: RunModel;
  readonly trans: TranslationBundle;
}

/** What stands on a part's tab. */
export function partLabel(part: Part, trans: TranslationBundle): string {
  switch (part) {
    case 'outputs':
      return trans.__('Outputs');
    case 'metrics':
      return trans.__('Metrics');
    case 'artifacts':
      return trans.__('Artifacts');
    case 'context':
      return trans.__('Context');
  }
}

/** The last value of each metric. */
export function Metrics(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const entries = Object.entries(model.run?.metrics ?? {});
  if (entries.length === 0) {
    return <p className="jp-Mlops-empty">{trans.__('No metrics yet.')}</p>;
  }
  return (
    <dl className="jp-Mlops-factList">
      {entries.map(([name, encoded]) => {
        const value = decode(encoded);
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={formatFull(value)}>
              {typeof value === 'number'
                ? formatNumber(value)
                : formatFull(value)}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** Resources asked for and used, how it was started, code and environment. */
export function Context(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  if (!model.detail) {
    return (
      <p className="jp-Mlops-empty">{model.problem ?? trans.__('Loading…')}</p>
    );
  }
  return (
    <dl className="jp-Mlops-factList">
      {contextFacts(model.detail, trans).map(({ name, text }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}
