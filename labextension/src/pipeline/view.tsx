/** The section of the pipeline. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement, ReactNode } from 'react';

import { useNow, useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { StatusMark } from '../components/status';
import type { PipelineStore } from '../projects/pipeline';
import type { IRowHandlers } from '../runs/handlers';
import type { PipelineModel } from './model';
import { StageTree } from './stagetree';
import { truthOf } from './words';

export interface IPipelineViewProps {
  readonly model: PipelineModel;
  readonly trans: TranslationBundle;
  readonly handlers: IRowHandlers;
  readonly onCancel: () => void;
  /** Write a first dvc.yaml, or open the one that there is. */
  readonly onCreate: () => void;
}

export function PipelineView(props: IPipelineViewProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { store, pipeline } = model;
  const { problem } = model;
  return (
    <div className="jp-Mlops-section" aria-busy={!pipeline?.isLoaded}>
      {pipeline && problem && (
        <Problem
          problem={problem}
          trans={trans}
          onRetry={() => void pipeline.refresh()}
        />
      )}
      {store && pipeline && pipeline.stages.length > 0 ? (
        <>
          <Truth pipeline={pipeline} trans={trans}>
            {pipeline.isActive && (
              <Button small minimal onClick={props.onCancel}>
                {trans.__('Cancel')}
              </Button>
            )}
          </Truth>
          <StageTree
            store={store}
            trans={trans}
            handlers={props.handlers}
            rows={held => model.rows(held)}
            onFold={(group, isFolded) => model.fold(group, isFolded)}
            isWide={false}
          />
        </>
      ) : (
        !pipeline?.problem && (
          <NoPipeline
            isLoaded={pipeline?.isLoaded ?? false}
            trans={trans}
            onCreate={props.onCreate}
          />
        )
      )}
    </div>
  );
}

/** One line about the whole pipeline. */
export function Truth(props: {
  readonly pipeline: PipelineStore;
  readonly trans: TranslationBundle;
  readonly children?: ReactNode;
}): ReactElement {
  const { pipeline, trans } = props;
  const { state, text } = truthOf(
    pipeline,
    useNow(pipeline.isActive ? 1000 : 30_000),
    trans
  );
  return (
    <div
      className="jp-Mlops-truth jp-Mlops-pipelineTruth"
      role="status"
      data-status={state}
    >
      <StatusMark status={state} trans={trans} />
      <span className="jp-Mlops-ellipsis" title={text}>
        {text}
      </span>
      {props.children}
    </div>
  );
}

/** What takes the place of stages where there are none. */
export function NoPipeline(props: {
  readonly isLoaded: boolean;
  readonly trans: TranslationBundle;
  readonly onCreate: () => void;
}): ReactElement {
  const { trans } = props;
  return props.isLoaded ? (
    <div className="jp-Mlops-empty">
      <p>
        {trans.__(
          'No pipeline yet. Wire notebooks together in dvc.yaml: each stage says what it runs, what it needs and what it makes.'
        )}
      </p>
      <Button onClick={props.onCreate}>{trans.__('Write dvc.yaml')}</Button>
    </div>
  ) : (
    <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>
  );
}
