/** The section of models. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { ModelVersionView } from '../api/types';
import { decodeNumber } from '../values';
import { useSignal } from '../components/hooks';
import { Tree, TreeRow } from '../components/tree';
import { formatNumber, formatTime } from '../format';
import type { IRowHandlers } from '../runs/handlers';
import type { RunsModel } from '../runs/model';
import { buildModelRows } from './rows';

export interface IModelsViewProps {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
}

export function ModelsView(props: IModelsViewProps): ReactElement {
  const { trans, handlers } = props;
  const { store } = props.model;
  useSignal(props.model.changed);
  const rows = buildModelRows(store?.models ?? []);
  if (!store || rows.length === 0) {
    return (
      <p className="jp-Mlops-empty">
        {store?.models
          ? trans.__('No models yet. Register the best run of a sweep.')
          : trans.__('Loading…')}
      </p>
    );
  }
  return (
    <div className="jp-Mlops-section">
      <Tree label={trans.__('Models')} keys={rows.map(row => row.key)}>
        {rows.map(({ key, model, isFirst }) => {
          const target = { kind: 'model', store, model } as const;
          return (
            <TreeRow
              key={key}
              id={key}
              level={1}
              isExpanded={null}
              className="jp-Mlops-model"
              data={{
                'data-model': model.name,
                'data-version': String(model.version)
              }}
              title={modelTitle(model)}
              onOpen={() => handlers.open(target)}
              onSelect={() => handlers.select(target)}
              onMenu={() => handlers.point(target)}
            >
              <span className="jp-Mlops-name" data-repeated={!isFirst}>
                {model.name}
              </span>
              <span className="jp-Mlops-number">
                {trans.__('v%1', model.version)}
              </span>
              <span className="jp-Mlops-aliases">
                {model.aliases.map(alias => (
                  <span key={alias} className="jp-Mlops-alias">
                    @{alias}
                  </span>
                ))}
              </span>
            </TreeRow>
          );
        })}
      </Tree>
    </div>
  );
}

function modelTitle(model: ModelVersionView): string {
  const metrics = Object.entries(model.metrics).flatMap(([name, encoded]) => {
    const value = decodeNumber(encoded);
    return value === null ? [] : [`${name} = ${formatNumber(value)}`];
  });
  return [
    `${model.name} v${String(model.version)}`,
    ...(model.description ? [model.description] : []),
    ...metrics,
    formatTime(model.created_at)
  ].join('\n');
}
