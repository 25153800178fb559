/** The tabs below an endpoint's head, and the log. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useEffect, useRef } from 'react';

import { useSignal } from '../components/hooks';
import type { EndpointModel } from './model';
import type { Part } from './state';
import { PARTS } from './state';

interface IProps {
  readonly model: EndpointModel;
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
      aria-label={trans.__('What is known of the endpoint')}
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
    case 'try':
      return trans.__('Try it');
    case 'monitoring':
      return trans.__('Monitoring');
    case 'log':
      return trans.__('Log');
  }
}

/** What the processes have printed last. */
export function Log(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { log } = model;
  const end = useRef<HTMLPreElement>(null);
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [log?.text]);
  if (!log) {
    return <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>;
  }
  return (
    <>
      <p className="jp-Mlops-muted jp-Mlops-logPlace">
        {trans.__('The last lines of %1', log.path)}
      </p>
      <pre ref={end} className="jp-Mlops-log">
        {log.text || trans.__('Nothing was printed yet.')}
      </pre>
    </>
  );
}
