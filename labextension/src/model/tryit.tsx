/** The form that tries a version, if it is served, and else the way to serve it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { EndpointView } from '../api/types';
import { attempt } from '../components/attempt';
import { useSignal } from '../components/hooks';
import { StatusMark } from '../components/status';
import type { EndpointModel } from '../endpoint/model';
import { TrialView } from '../endpoint/trialview';
import { Unavailable } from './card';
import type { ModelTabModel } from './model';
import type { Serving } from './serving';

export interface ITryItProps {
  readonly model: ModelTabModel;
  readonly serving: Serving;
  readonly trans: TranslationBundle;
  /** Open the tab of the endpoint. */
  readonly onOpenEndpoint: () => void;
}

export function TryIt(props: ITryItProps): ReactElement {
  const { serving, trans } = props;
  useSignal(props.model.changed);
  useSignal(serving.changed);
  const { endpoint, isKnown, problem } = serving;
  if (!isKnown) {
    return (
      <Unavailable
        problem={problem}
        trans={trans}
        onRetry={() => void serving.refresh()}
      />
    );
  }
  return endpoint ? (
    <Served {...props} endpoint={endpoint} />
  ) : (
    <div className="jp-Mlops-tryIt">
      <p>
        {trans.__(
          'No version of %1 is served. To try one, serve it behind the login of Jupyter; that takes some seconds.',
          props.model.name
        )}
      </p>
      <Serve {...props} label={trans.__('Serve v%1', props.model.version)} />
    </div>
  );
}

function Served(
  props: ITryItProps & { readonly endpoint: EndpointModel }
): ReactElement {
  const { model, endpoint, trans } = props;
  useSignal(endpoint.changed);
  const view = endpoint.endpoint;
  if (!view) {
    return (
      <Unavailable
        problem={endpoint.problem}
        trans={trans}
        onRetry={() => void endpoint.refresh()}
      />
    );
  }
  const { version, next, status, error } = view;
  const isOurs = version === model.version;
  const isAwaited = next === model.version || (isOurs && status === 'starting');
  return (
    <>
      <div className="jp-Mlops-tryIt">
        <div className="jp-Mlops-actions" role="status">
          <StatusMark status={isAwaited ? 'starting' : status} trans={trans} />
          <span>{servedText(view, model.version, isAwaited, trans)}</span>
          {!isAwaited && (!isOurs || status === 'failed') && (
            <Serve {...props} label={serveLabel(view, model.version, trans)} />
          )}
          <Button small onClick={props.onOpenEndpoint}>
            {trans.__('Open endpoint')}
          </Button>
        </div>
        {error !== null && (
          <div className="jp-Mlops-error" role="alert">
            {error}
          </div>
        )}
      </div>
      {isOurs && !isAwaited && status !== 'failed' && (
        <TrialView model={endpoint} trans={trans} />
      )}
    </>
  );
}

function Serve(props: ITryItProps & { readonly label: string }): ReactElement {
  const { model, serving, label } = props;
  return (
    <Button
      className="jp-mod-styled jp-mod-accept"
      small
      onClick={() => void attempt(serving.serve(model.version))}
    >
      {label}
    </Button>
  );
}

/** What is served, seen from a version. */
function servedText(
  { version, status }: EndpointView,
  own: number,
  isAwaited: boolean,
  trans: TranslationBundle
): string {
  if (isAwaited) {
    return trans.__('v%1 is being loaded.', own);
  }
  if (version !== own) {
    return trans.__('v%1 is served, and not v%2.', version, own);
  }
  return status === 'failed'
    ? trans.__('v%1 could not be served.', own)
    : trans.__('v%1 is served.', own);
}

function serveLabel(
  { version }: EndpointView,
  own: number,
  trans: TranslationBundle
): string {
  return version === own
    ? trans.__('Serve v%1 again', own)
    : trans.__('Serve v%1 in its place', own);
}
