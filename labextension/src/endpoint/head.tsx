/** The head of an endpoint's tab: what is served, how it does, and what can be done. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { EndpointView } from '../api/types';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { StatusMark, statusWord } from '../components/status';
import { Toolbar } from '../components/toolbar';
import { formatLatency, versionText } from '../endpoints/words';
import { formatAgo, formatTime } from '../format';
import type { EndpointModel } from './model';

export interface IEndpointHeadProps {
  readonly model: EndpointModel;
  readonly trans: TranslationBundle;
  /** Run a command on the endpoint. */
  readonly onCommand: (id: string) => void;
}

export function EndpointHead(props: IEndpointHeadProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const now = useNow(1000);
  const { endpoint } = model;
  if (!endpoint || model.isGone) {
    return (
      <div className="jp-Mlops-sweepHead jp-Mlops-muted" role="status">
        {model.isGone
          ? trans.__(
              '%1 is not served. Choose Serve from the menu of a version in the MLOps panel.',
              model.name
            )
          : (model.problem ?? trans.__('Loading…'))}
      </div>
    );
  }
  return (
    <section
      className="jp-Mlops-sweepHead"
      aria-label={trans.__('Summary')}
      data-status={endpoint.status}
    >
      <div className="jp-Mlops-sweepTitle">
        <StatusMark status={endpoint.status} trans={trans} />
        <h2>{endpoint.name}</h2>
        <strong>{versionText(endpoint, trans)}</strong>
        {endpoint.alias !== null && (
          <span className="jp-Mlops-alias">@{endpoint.alias}</span>
        )}
        <span>{statusWord(endpoint.status, trans)}</span>
        {endpoint.next !== null && endpoint.next !== endpoint.version && (
          <span className="jp-Mlops-muted">
            {trans.__('v%1 is being loaded', endpoint.next)}
          </span>
        )}
      </div>
      <Facts endpoint={endpoint} now={now} trans={trans} />
      {endpoint.error !== null && (
        <div className="jp-Mlops-error" role="alert">
          {endpoint.error}
        </div>
      )}
      {model.problem !== null && (
        <div className="jp-Mlops-error" role="alert">
          {model.problem}
        </div>
      )}
      <Actions {...props} endpoint={endpoint} />
    </section>
  );
}

function Facts(props: {
  readonly endpoint: EndpointView;
  readonly now: number;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { endpoint, now, trans } = props;
  const { p50, p95 } = endpoint;
  return (
    <div className="jp-Mlops-sweepFacts jp-Mlops-muted">
      {p50 !== null && p95 !== null && (
        <span
          title={trans.__(
            'Within these times a half, and 95 %, of the last requests were answered'
          )}
        >
          {trans.__('p50')} <strong>{formatLatency(p50, trans)}</strong>
          {' · '}
          {trans.__('p95')} <strong>{formatLatency(p95, trans)}</strong>
        </span>
      )}
      <span>
        {trans._n('%1 request', '%1 requests', endpoint.requests)}
        {endpoint.failures > 0 &&
          ` · ${trans.__('%1 refused or failed', endpoint.failures)}`}
      </span>
      {endpoint.restarts > 0 && (
        <span>{trans._n('%1 restart', '%1 restarts', endpoint.restarts)}</span>
      )}
      <span title={formatTime(endpoint.since)}>
        {trans.__(
          'this version since %1',
          formatAgo(endpoint.since, now, trans)
        )}
      </span>
      <code title={trans.__('Below the URL of the Jupyter server')}>
        {`${endpoint.address}invocations`}
      </code>
    </div>
  );
}

function Actions(
  props: IEndpointHeadProps & { readonly endpoint: EndpointView }
): ReactElement {
  const { endpoint, trans, onCommand } = props;
  const isBusy = endpoint.next !== null;
  return (
    <Toolbar label={trans.__('Actions')}>
      <Button
        className="jp-mod-styled jp-mod-accept"
        small
        disabled={isBusy}
        onClick={() => onCommand(CommandIDs.switchEndpoint)}
      >
        {trans.__('Switch version…')}
      </Button>
      {endpoint.previous !== null && (
        <Button
          small
          disabled={isBusy}
          onClick={() => onCommand(CommandIDs.rollBackEndpoint)}
        >
          {trans.__('Roll back to v%1', endpoint.previous)}
        </Button>
      )}
      <Button small onClick={() => onCommand(CommandIDs.stopEndpoint)}>
        {trans.__('Stop…')}
      </Button>
    </Toolbar>
  );
}
