/** The parts beside the outputs: the tabs, the metrics and the context. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useRef } from 'react';

import { useSignal } from '../components/hooks';
import { formatFull, formatNumber } from '../format';
import { decode } from '../values';
import { contextFacts } from './facts';
import type { RunModel } from './model';
import type { Part } from './state';
import { PARTS } from './state';

interface IProps {
  readonly model: RunModel;
  readonly trans: TranslationBundle;
}

/** Which part is shown. Arrow keys go from one to the next. */
export function Tabs(
  props: IProps & { readonly idOf: (part: Part) => string }
): ReactElement {
  const { model, trans, idOf } = props;
  useSignal(model.changed);
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const part = PARTS.at(
      (PARTS.indexOf(model.part) + (step ?? 0)) % PARTS.length
    );
    if (step !== undefined && part) {
      event.preventDefault();
      model.show(part);
      list.current
        ?.querySelector<HTMLElement>(`[data-part="${part}"]`)
        ?.focus();
    }
  };
  return (
    <div
      ref={list}
      className="jp-Mlops-tabs"
      role="tablist"
      aria-label={trans.__('What is known of the run')}
    >
      {PARTS.map(part => (
        <button
          key={part}
          role="tab"
          data-part={part}
          aria-selected={part === model.part}
          aria-controls={idOf(part)}
          tabIndex={part === model.part ? 0 : -1}
          onClick={() => model.show(part)}
          onKeyDown={onKeyDown}
        >
          {partLabel(part, trans)}
        </button>
      ))}
    </div>
  );
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
