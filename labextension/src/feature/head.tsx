/** The head of a feature's tab: how it stands, what it cost, what it is, and what can be done. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { FeatureDetail, FeatureView } from '../api/types';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { Toolbar } from '../components/toolbar';
import { FeatureMark } from '../features/mark';
import { featureState, stateText } from '../features/words';
import { formatAgo, formatCount, formatTime } from '../format';
import type { FeatureModel } from './model';
import { costText, formatDay } from './words';

export interface IFeatureHeadProps {
  readonly model: FeatureModel;
  readonly trans: TranslationBundle;
  /** Run a command on the feature. */
  readonly onCommand: (id: string) => void;
}

export function FeatureHead(props: IFeatureHeadProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { detail, feature, problem, missing } = model;
  return (
    <section className="jp-Mlops-sweepHead" aria-label={trans.__('Summary')}>
      {problem && (
        <Problem
          problem={problem}
          trans={trans}
          onRetry={() => void model.refresh()}
        />
      )}
      {missing !== null && (
        <div className="jp-Mlops-error" role="alert">
          {missing}
        </div>
      )}
      {feature && <Title feature={feature} trans={trans} />}
      {detail ? (
        <Known {...props} detail={detail} />
      ) : (
        !problem &&
        missing === null && (
          <span className="jp-Mlops-muted">
            {[
              ...(feature ? [stateText(feature, trans)] : []),
              trans.__('Loading…')
            ].join(' · ')}
          </span>
        )
      )}
    </section>
  );
}

interface IKnownProps extends IFeatureHeadProps {
  readonly detail: FeatureDetail;
}

function Title(props: {
  readonly feature: FeatureView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { feature, trans } = props;
  const { name, type, sensitivity } = feature;
  const state = featureState(feature);
  return (
    <div className="jp-Mlops-sweepTitle" data-state={state}>
      <span className="jp-Mlops-featureTitle">
        <FeatureMark state={state} trans={trans} />
        <h2>{name}</h2>
      </span>
      {type !== null && <span className="jp-Mlops-kind">{type}</span>}
      {sensitivity !== null && (
        <span className="jp-Mlops-alias">{sensitivity}</span>
      )}
    </div>
  );
}

function Known(props: IKnownProps): ReactElement {
  const { description } = props.detail;
  return (
    <>
      <Truth {...props} />
      {description !== '' && (
        <p className="jp-Mlops-notes jp-Mlops-featureNotes">{description}</p>
      )}
      <Actions {...props} />
    </>
  );
}

/** State, cost and freshness in one line. */
function Truth(props: IKnownProps): ReactElement {
  const { detail, trans } = props;
  const { feature, computation, online_rows, request } = detail;
  const now = useNow(30_000);
  const state = featureState(feature);
  return (
    <div className="jp-Mlops-sweepFacts jp-Mlops-featureTruth" role="status">
      <strong>{stateText(feature, trans)}</strong>
      {state === 'demand' && request.length > 0 && (
        <span>{trans.__('from the request: %1', request.join(', '))}</span>
      )}
      {feature.computed_at !== null && (
        <span title={formatTime(feature.computed_at)}>
          {trans.__('computed %1', formatAgo(feature.computed_at, now, trans))}
        </span>
      )}
      {computation && (
        <span title={trans.__('What computing it took, as measured')}>
          {costText(computation, trans)}
        </span>
      )}
      {feature.last !== null && (
        <span title={formatTime(feature.last)}>
          {trans.__('newest value %1', formatDay(feature.last, now, trans))}
        </span>
      )}
      {state !== 'demand' && (
        <span
          title={
            feature.online_at === null
              ? trans.__('Compute it online to fill the online store with it')
              : formatTime(feature.online_at)
          }
        >
          {feature.online_at === null
            ? trans.__('not online')
            : online_rows === null
              ? trans.__(
                  'online since %1',
                  formatAgo(feature.online_at, now, trans)
                )
              : trans.__(
                  'online since %1: %2 entities',
                  formatAgo(feature.online_at, now, trans),
                  formatCount(online_rows)
                )}
        </span>
      )}
    </div>
  );
}

function Actions(props: IKnownProps): ReactElement {
  const { detail, trans, onCommand } = props;
  const isStored = !detail.feature.on_demand;
  const act = (id: string) => (): void => onCommand(id);
  return (
    <Toolbar label={trans.__('Actions')}>
      <Button
        className="jp-mod-styled jp-mod-accept"
        small
        onClick={act(CommandIDs.insertFeature)}
      >
        {trans.__('Insert into notebook')}
      </Button>
      {isStored && (
        <>
          <Button small onClick={act(CommandIDs.computeFeature)}>
            {trans.__('Compute')}
          </Button>
          <Button small onClick={act(CommandIDs.serveFeature)}>
            {trans.__('Compute online')}
          </Button>
        </>
      )}
      <Button small onClick={act(CommandIDs.checkFeature)}>
        {trans.__('Check')}
      </Button>
      <Button small onClick={act(CommandIDs.driftFeature)}>
        {trans.__('Compare with training…')}
      </Button>
    </Toolbar>
  );
}
