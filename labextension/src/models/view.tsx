/** The section of models. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { ModelVersionView } from '../api/types';
import { Filter } from '../components/filter';
import { useSignal } from '../components/hooks';
import { Tree, TreeRow } from '../components/tree';
import { formatNumber, formatTime } from '../format';
import type { ProjectStore } from '../projects/store';
import type { IRowHandlers } from '../runs/handlers';
import { decodeNumber } from '../values';
import { ownTags } from './filter';
import type { ModelsModel } from './model';
import type { IOlderRow, IVersionRow } from './rows';
import { PARTS } from './rows';

export interface IModelsViewProps {
  readonly model: ModelsModel;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
}

export function ModelsView(props: IModelsViewProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { rows, store } = model;
  return (
    <div className="jp-Mlops-section" aria-busy={!model.models}>
      {model.isFiltering && (
        <Filter
          text={model.filter}
          label={trans.__('Filter models')}
          placeholder={trans.__('Name, owner:ada, task:…, auc > 0.7')}
          suggestions={model.suggestions}
          onChange={text => {
            model.filter = text;
          }}
          onClose={() => {
            model.isFiltering = false;
          }}
        />
      )}
      {store && rows.length > 0 ? (
        <Tree label={trans.__('Models')} keys={rows.map(row => row.key)}>
          {rows.map(row =>
            row.kind === 'version' ? (
              <VersionRow key={row.key} {...props} row={row} store={store} />
            ) : (
              <OlderRow key={row.key} {...props} row={row} />
            )
          )}
        </Tree>
      ) : (
        <p className="jp-Mlops-empty">{emptyText(model, trans)}</p>
      )}
    </div>
  );
}

function VersionRow(
  props: IModelsViewProps & {
    readonly row: IVersionRow;
    readonly store: ProjectStore;
  }
): ReactElement {
  const { trans, handlers, store } = props;
  const { key, model, isFirst } = props.row;
  const target = { kind: 'model', store, model } as const;
  const { complete } = model;
  return (
    <TreeRow
      id={key}
      level={1}
      isExpanded={null}
      className="jp-Mlops-model"
      data={{
        'data-model': model.name,
        'data-version': String(model.version)
      }}
      title={modelTitle(model, trans)}
      onOpen={() => handlers.open(target)}
      onSelect={() => handlers.select(target)}
      onMenu={() => handlers.point(target)}
    >
      <span className="jp-Mlops-name" data-repeated={!isFirst}>
        {model.name}
      </span>
      <span className="jp-Mlops-number">{trans.__('v%1', model.version)}</span>
      <span className="jp-Mlops-aliases">
        {model.aliases.map(alias => (
          <span key={alias} className="jp-Mlops-alias">
            @{alias}
          </span>
        ))}
      </span>
      {complete !== null && (
        <span
          className="jp-Mlops-number jp-Mlops-complete"
          data-complete={complete === PARTS}
          role="img"
          aria-label={trans.__('%1 of %2 parts complete', complete, PARTS)}
        >
          {complete}/{PARTS}
        </span>
      )}
    </TreeRow>
  );
}

function OlderRow(
  props: IModelsViewProps & { readonly row: IOlderRow }
): ReactElement {
  const { model, trans } = props;
  const { key, name, count } = props.row;
  return (
    <TreeRow
      id={key}
      level={1}
      isExpanded={null}
      className="jp-Mlops-olderModels jp-Mlops-rest"
      onOpen={() => model.unfold(name)}
    >
      <span className="jp-Mlops-ellipsis">
        {trans._n(
          '%1 older version of %2',
          '%1 older versions of %2',
          count,
          name
        )}
      </span>
    </TreeRow>
  );
}

function emptyText(model: ModelsModel, trans: TranslationBundle): string {
  if (!model.models) {
    return trans.__('Loading…');
  }
  return model.models.length > 0
    ? trans.__('No model matches “%1”.', model.filter)
    : trans.__('No models yet. Register the best run of a sweep.');
}

/** All that a row has no room for. */
function modelTitle(model: ModelVersionView, trans: TranslationBundle): string {
  const { complete } = model;
  const { owner, task, stakeholders } = model.tags;
  const metrics = Object.entries(model.metrics).flatMap(([name, encoded]) => {
    const value = decodeNumber(encoded);
    return value === null ? [] : [`${name} = ${formatNumber(value)}`];
  });
  return [
    `${model.name} v${String(model.version)}`,
    ...(complete === null
      ? []
      : [trans.__('%1 of %2 parts complete', complete, PARTS)]),
    ...(model.description ? [model.description] : []),
    ...(owner ? [trans.__('Owner: %1', owner)] : []),
    ...(task ? [trans.__('Task: %1', task)] : []),
    ...(stakeholders ? [trans.__('Stakeholders: %1', stakeholders)] : []),
    ...ownTags(model).map(([name, value]) => `${name}: ${value}`),
    ...metrics,
    formatTime(model.created_at)
  ].join('\n');
}
