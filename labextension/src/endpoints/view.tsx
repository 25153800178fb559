/** The section of endpoints. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import { StatusMark } from '../components/status';
import { Tree, TreeRow } from '../components/tree';
import type { IRowHandlers } from '../runs/handlers';
import type { EndpointsModel } from './model';
import { endpointTitle, formatLatency, versionText } from './words';

export interface IEndpointsViewProps {
  readonly endpoints: EndpointsModel;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
}

export function EndpointsView(props: IEndpointsViewProps): ReactElement {
  const { endpoints: model, trans, handlers } = props;
  useSignal(model.changed);
  const { store, endpoints } = model;
  if (!store || !endpoints || endpoints.length === 0) {
    return (
      <p className="jp-Mlops-empty">
        {model.problem ??
          (endpoints
            ? trans.__('No model is served. Choose Serve from a model’s menu.')
            : trans.__('Loading…'))}
      </p>
    );
  }
  return (
    <div className="jp-Mlops-section">
      <Tree
        label={trans.__('Endpoints')}
        keys={endpoints.map(each => each.name)}
      >
        {endpoints.map(endpoint => {
          const target = { kind: 'endpoint', store, endpoint } as const;
          return (
            <TreeRow
              key={endpoint.name}
              id={endpoint.name}
              level={1}
              isExpanded={null}
              className="jp-Mlops-endpoint"
              data={{
                'data-endpoint': endpoint.name,
                'data-status': endpoint.status
              }}
              title={endpointTitle(endpoint, trans)}
              onOpen={() => handlers.open(target)}
              onSelect={() => handlers.select(target)}
              onMenu={() => handlers.point(target)}
            >
              <StatusMark status={endpoint.status} trans={trans} />
              <span className="jp-Mlops-name">{endpoint.name}</span>
              <span className="jp-Mlops-number">
                {versionText(endpoint, trans)}
              </span>
              {endpoint.error !== null && endpoint.next === null ? (
                <span className="jp-Mlops-error jp-Mlops-ellipsis">
                  {endpoint.error}
                </span>
              ) : (
                endpoint.p50 !== null && (
                  <span className="jp-Mlops-number jp-Mlops-muted">
                    {formatLatency(endpoint.p50, trans)}
                  </span>
                )
              )}
            </TreeRow>
          );
        })}
      </Tree>
    </div>
  );
}
