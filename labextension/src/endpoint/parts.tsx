/** The parts of an endpoint's tab: their names, and the log. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useEffect, useRef } from 'react';

import { useSignal } from '../components/hooks';
import type { EndpointModel } from './model';
import type { Part } from './state';

interface IProps {
  readonly model: EndpointModel;
  readonly trans: TranslationBundle;
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
