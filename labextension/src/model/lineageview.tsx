/** The lineage of a model version. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import { useSignal } from '../components/hooks';
import type { Measure } from '../pipeline/sizes';
import { Unavailable } from './card';
import { LineageGraph } from './lineagegraph';
import type { ModelTabModel } from './model';

interface ILineageProps {
  readonly model: ModelTabModel;
  readonly trans: TranslationBundle;
  readonly measure: Measure;
  /** Open what a node stands for. */
  readonly onOpen: (kind: string, name: string) => void;
}

export function Lineage(props: ILineageProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { lineage, problem, ingredients } = model;
  if (!lineage) {
    return (
      <Unavailable
        problem={problem}
        trans={trans}
        onRetry={() => model.retry()}
      />
    );
  }
  return (
    <LineageGraph
      {...props}
      lineage={lineage}
      own={`version:${model.name}/${String(model.version)}`}
      canOpen={(kind, name) => kind !== 'feature' || ingredients.has(name)}
    />
  );
}
