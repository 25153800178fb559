/** The head of a pipeline's tab: one line about all, and what can be done. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { CommandIDs } from '../commands';
import { useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { Toolbar } from '../components/toolbar';
import type { PipelineTabModel } from './tabmodel';
import { Truth } from './view';
import { STATES } from './words';

export interface IPipelineHeadProps {
  readonly model: PipelineTabModel;
  readonly trans: TranslationBundle;
  readonly onCommand: (id: string) => void;
}

export function PipelineHead(props: IPipelineHeadProps): ReactElement {
  const { model, trans, onCommand } = props;
  useSignal(model.changed);
  const { pipeline, store, view } = model;
  const name = store.project.name || trans.__('Home');
  return (
    <section
      className="jp-Mlops-sweepHead"
      aria-label={trans.__('Summary')}
      aria-busy={!pipeline.isLoaded}
    >
      {pipeline.problem && (
        <Problem
          problem={pipeline.problem}
          trans={trans}
          onRetry={() => void pipeline.refresh()}
        />
      )}
      <div className="jp-Mlops-sweepTitle">
        <h2>{trans.__('Pipeline of %1', name)}</h2>
        {pipeline.stages.length > 0 && (
          <Truth pipeline={pipeline} trans={trans} />
        )}
        <Progress {...props} />
      </div>
      {pipeline.stages.length > 0 && (
        <Toolbar label={trans.__('Actions')}>
          {pipeline.isActive ? (
            <Button small onClick={() => onCommand(CommandIDs.cancelPipeline)}>
              {trans.__('Cancel')}
            </Button>
          ) : (
            <Button
              className="jp-mod-styled jp-mod-accept"
              small
              onClick={() => onCommand(CommandIDs.runStale)}
            >
              {trans.__('Run stale')}
            </Button>
          )}
          <Button
            small
            aria-pressed={view === 'list'}
            onClick={() => onCommand(CommandIDs.toggleList)}
          >
            {view === 'list'
              ? trans.__('Show as graph')
              : trans.__('Show as list')}
          </Button>
          {view === 'graph' && (
            <span className="jp-Mlops-zoom">
              <Button
                small
                aria-label={trans.__('Zoom out')}
                title={trans.__('Zoom out')}
                onClick={() => onCommand(CommandIDs.zoomOut)}
              >
                −
              </Button>
              <Button
                small
                aria-label={trans.__('Zoom in')}
                title={trans.__('Zoom in')}
                onClick={() => onCommand(CommandIDs.zoomIn)}
              >
                +
              </Button>
              <Button
                small
                title={trans.__('Show the whole pipeline')}
                onClick={() => onCommand(CommandIDs.zoomToFit)}
              >
                {trans.__('Fit')}
              </Button>
            </span>
          )}
        </Toolbar>
      )}
    </section>
  );
}

/** How many of the stages of the pipeline run are done. */
function Progress(props: IPipelineHeadProps): ReactElement | null {
  const { model, trans } = props;
  const { progress, isActive } = model.pipeline;
  if (!isActive || !progress || progress.total === 0) {
    return null;
  }
  const { done, total, counts } = progress;
  return (
    <span
      className="jp-Mlops-bar"
      role="progressbar"
      aria-label={trans.__('Finished stages')}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
    >
      {[...STATES].reverse().map(state => (
        <span
          key={state}
          data-status={state}
          style={{ flexGrow: counts[state] ?? 0 }}
        />
      ))}
    </span>
  );
}
