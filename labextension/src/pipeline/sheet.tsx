/** A stage's sheet: why it will run, what it runs, needs and makes, and what it said. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, closeIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { StageView } from '../api/types';
import { CommandIDs } from '../commands';
import { useSignal } from '../components/hooks';
import { StatusMark } from '../components/status';
import { Toolbar } from '../components/toolbar';
import { groupKey } from './diagram';
import { Files, Metrics } from './files';
import { Facts, Links, Log, Neighbours, Resources, Why } from './sheetparts';
import type { PipelineTabModel } from './tabmodel';
import { overallState, statesText } from './words';

export interface ISheetProps {
  readonly model: PipelineTabModel;
  readonly trans: TranslationBundle;
  /** Run a command on the stages of the sheet. */
  readonly onCommand: (id: string) => void;
  /** Open a file of the project. */
  readonly onOpen: (path: string) => void;
}

export function Sheet(props: ISheetProps): ReactElement | null {
  const { model, trans } = props;
  const { sheet } = model;
  useSignal(model.changed);
  useSignal(sheet.changed);
  const [stage, other] = sheet.stages;
  if (!stage) {
    return (
      <p className="jp-Mlops-empty">
        {model.pipeline.isLoaded
          ? trans.__('This stage does not exist any more.')
          : trans.__('Loading…')}
      </p>
    );
  }
  const name = other ? (stage.group ?? stage.name) : stage.name;
  return (
    <article className="jp-Mlops-sheet" aria-label={trans.__('Stage %1', name)}>
      <header>
        <StatusMark status={overallState(sheet.stages)} trans={trans} />
        <h2>{name}</h2>
        <Button
          minimal
          small
          title={trans.__('Close')}
          onClick={() => model.select(null)}
        >
          <closeIcon.react tag="span" elementSize="normal" />
        </Button>
      </header>
      {other ? (
        <GroupSheet {...props} stages={sheet.stages} />
      ) : (
        <StageSheet {...props} stage={stage} />
      )}
    </article>
  );
}

/** The stages that a foreach or matrix makes. */
function GroupSheet(
  props: ISheetProps & { readonly stages: readonly StageView[] }
): ReactElement {
  const { model, stages, trans, onCommand } = props;
  const [first] = stages;
  const key = first ? groupKey(first) : null;
  return (
    <>
      <p>{statesText(stages, trans)}</p>
      <Actions {...props} stages={stages} />
      <div className="jp-Mlops-actions">
        <Button small onClick={() => onCommand(CommandIDs.foldGroup)}>
          {key !== null && model.isUnfolded(key)
            ? trans.__('Show as one')
            : trans.__('Show one by one')}
        </Button>
      </div>
      <section className="jp-Mlops-sheetPart">
        <h3>{trans.__('Stages')}</h3>
        <Links {...props} names={stages.map(stage => stage.name)} />
      </section>
    </>
  );
}

function StageSheet(
  props: ISheetProps & { readonly stage: StageView }
): ReactElement {
  const { model, stage, trans, onOpen } = props;
  const { detail, problem } = model.sheet;
  return (
    <>
      <Facts stage={stage} trans={trans} />
      {stage.description !== null && <p>{stage.description}</p>}
      {stage.error !== null && (
        <pre className="jp-Mlops-error jp-Mlops-sheetError">{stage.error}</pre>
      )}
      <Actions {...props} stages={[stage]} />
      <Why {...props} />
      {problem !== null && <p className="jp-Mlops-error">{problem}</p>}
      {detail ? (
        <>
          {detail.command.length > 0 && (
            <section className="jp-Mlops-sheetPart">
              <h3>{trans.__('Command')}</h3>
              <pre className="jp-Mlops-command">
                {detail.command.join('\n')}
              </pre>
              {detail.folder !== '' && (
                <p className="jp-Mlops-muted">
                  {trans.__('in %1', detail.folder)}
                </p>
              )}
            </section>
          )}
          <Metrics metrics={detail.metrics} trans={trans} />
          <Files
            title={trans.__('Plots')}
            files={detail.outputs.filter(file => file.plot)}
            trans={trans}
            onOpen={onOpen}
          />
          <Files
            title={trans.__('Dependencies')}
            files={detail.dependencies}
            trans={trans}
            onOpen={onOpen}
          />
          <Files
            title={trans.__('Outputs')}
            files={detail.outputs.filter(file => !file.plot)}
            trans={trans}
            onOpen={onOpen}
          />
          <Neighbours {...props} detail={detail} />
          <Resources detail={detail} trans={trans} />
          <Log log={detail.log} trans={trans} />
        </>
      ) : (
        problem === null && (
          <p className="jp-Mlops-muted">{trans.__('Loading…')}</p>
        )
      )}
    </>
  );
}

function Actions(
  props: ISheetProps & { readonly stages: readonly StageView[] }
): ReactElement {
  const { model, stages, trans, onCommand } = props;
  const [stage] = stages;
  const isCommand = stages.some(each => each.kind === 'stage');
  const act = (id: string) => (): void => onCommand(id);
  return (
    <Toolbar label={trans.__('Actions on the stage')}>
      {stage?.kind !== 'data' && (
        <>
          <Button
            className="jp-mod-styled jp-mod-accept"
            small
            disabled={model.pipeline.isActive}
            onClick={act(CommandIDs.runStage)}
          >
            {trans.__('Run')}
          </Button>
          <Button
            small
            disabled={model.pipeline.isActive}
            onClick={act(CommandIDs.runFollowing)}
          >
            {trans.__('Run with what follows')}
          </Button>
          <Button
            small
            disabled={model.pipeline.isActive}
            title={trans.__('Run it even if nothing has changed')}
            onClick={act(CommandIDs.forceStage)}
          >
            {trans.__('Force')}
          </Button>
        </>
      )}
      {stages.length === 1 && typeof stage?.run_id === 'string' && (
        <Button small onClick={act(CommandIDs.openStageRun)}>
          {trans.__('Open run')}
        </Button>
      )}
      {stages.length === 1 && typeof stage?.notebook === 'string' && (
        <Button small onClick={act(CommandIDs.openStageNotebook)}>
          {trans.__('Open notebook')}
        </Button>
      )}
      {isCommand && (
        <Button small onClick={act(CommandIDs.openStageFile)}>
          {trans.__('Open dvc.yaml')}
        </Button>
      )}
    </Toolbar>
  );
}
