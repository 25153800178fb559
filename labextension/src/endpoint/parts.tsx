/** The tabs below an endpoint's head, and the log. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useEffect, useRef } from 'react';

import { useSignal } from '../components/hooks';
import { Tabs } from '../components/tabs';
import type { EndpointModel } from './model';
import type { Part } from './state';
import { PARTS } from './state';

interface IProps {
  readonly model: EndpointModel;
  readonly trans: TranslationBundle;
}

/** Which part is shown. */
export function EndpointTabs(
  props: IProps & { readonly idOf: (part: Part) => string }
): ReactElement {
  const { model, trans, idOf } = props;
  useSignal(model.changed);
  return (
    <Tabs
      parts={PARTS}
      shown={model.part}
      label={trans.__('What is known of the endpoint')}
      nameOf={part => partLabel(part, trans)}
      idOf={idOf}
      onShow={part => model.show(part)}
    />
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
