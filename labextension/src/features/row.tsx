/** A feature in the section of features. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { FeatureView } from '../api/types';
import { TreeRow } from '../components/tree';
import type { ProjectStore } from '../projects/store';
import type { IRowHandlers } from '../runs/handlers';
import { FeatureMark } from './mark';
import { featureState, featureTitle, nameParts, stateText } from './words';

/** In px; all rows are alike, so that it is known where each of thousands lies. */
export const ROW_HEIGHT = 42;

export interface IFeatureRowProps {
  readonly index: number;
  /** Number of all rows. */
  readonly count: number;
  /** Null while it is being fetched. */
  readonly feature: FeatureView | null;
  readonly store: ProjectStore;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
}

export function FeatureRow(props: IFeatureRowProps): ReactElement {
  const { index, count, feature, store, trans, handlers } = props;
  if (!feature) {
    return (
      <TreeRow
        id={`#${index}`}
        level={1}
        isExpanded={null}
        className="jp-Mlops-pendingFeature jp-Mlops-rest"
        place={{ index, count }}
        onOpen={() => undefined}
      >
        {trans.__('Loading…')}
      </TreeRow>
    );
  }
  const target = { kind: 'feature', store, feature } as const;
  const state = featureState(feature);
  const [group, own] = nameParts(feature);
  return (
    <TreeRow
      id={feature.name}
      level={1}
      isExpanded={null}
      className="jp-Mlops-feature"
      data={{ 'data-feature': feature.name, 'data-state': state }}
      title={featureTitle(feature, trans)}
      place={{ index, count }}
      onOpen={() => handlers.open(target)}
      onSelect={() => handlers.select(target)}
      onMenu={() => handlers.point(target)}
    >
      <FeatureMark state={state} trans={trans} />
      <span className="jp-Mlops-lines">
        <span className="jp-Mlops-line">
          <span className="jp-Mlops-featureName">
            <span className="jp-Mlops-featureGroup">{group}</span>
            <span className="jp-Mlops-ellipsis">{own}</span>
          </span>
          {feature.owner !== null && (
            <span className="jp-Mlops-featureOwner jp-Mlops-muted">
              {feature.owner}
            </span>
          )}
        </span>
        <span className="jp-Mlops-featureLine">
          <span className="jp-Mlops-featureState">
            {stateText(feature, trans)}
          </span>
          {feature.summary && (
            <span className="jp-Mlops-muted"> · {feature.summary}</span>
          )}
        </span>
      </span>
    </TreeRow>
  );
}
