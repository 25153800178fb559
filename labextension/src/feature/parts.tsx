/** The parts of a feature's tab, each of which follows the model by itself. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useMemo } from 'react';

import type { FeatureDetail } from '../api/types';
import { useSignal } from '../components/hooks';
import { LineageGraph } from '../model/lineagegraph';
import type { Measure } from '../pipeline/sizes';
import type { IAboutProps } from './about';
import { About } from './about';
import { Findings } from './findings';
import { lineageOf, ownKey } from './lineage';
import type { FeatureModel } from './model';
import { Values } from './values';

interface IPartProps {
  readonly model: FeatureModel;
  readonly trans: TranslationBundle;
}

/** What its values look like, and what was found of them. */
export function Look(props: IPartProps): ReactElement | null {
  const { model, trans } = props;
  useSignal(model.changed);
  const { detail } = model;
  return (
    detail && (
      <>
        <Values detail={detail} trans={trans} />
        <Findings detail={detail} trans={trans} />
      </>
    )
  );
}

export function Facts(
  props: IPartProps & Pick<IAboutProps, 'onNode' | 'onOpen'>
): ReactElement | null {
  const { model } = props;
  useSignal(model.changed);
  return model.detail && <About {...props} detail={model.detail} />;
}

interface ILineageProps extends IPartProps {
  readonly measure: Measure;
  readonly onNode: IAboutProps['onNode'];
}

export function Lineage(props: ILineageProps): ReactElement | null {
  const { model } = props;
  useSignal(model.changed);
  return model.detail && <Drawn {...props} detail={model.detail} />;
}

function Drawn(
  props: ILineageProps & { readonly detail: FeatureDetail }
): ReactElement {
  const { detail, trans, measure, onNode } = props;
  const lineage = useMemo(() => lineageOf(detail), [detail]);
  const own = ownKey(detail.feature.name);
  return (
    <section aria-label={trans.__('Lineage')}>
      <h3>{trans.__('Lineage')}</h3>
      <div className="jp-Mlops-featureGraph">
        <LineageGraph
          lineage={lineage}
          own={own}
          trans={trans}
          measure={measure}
          canOpen={(kind, name) => `${kind}:${name}` !== own}
          onOpen={onNode}
        />
      </div>
    </section>
  );
}
