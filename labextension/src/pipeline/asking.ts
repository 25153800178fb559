/** Asking which stage is meant. */
import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { attempt } from '../components/attempt';
import type { ProjectStore } from '../projects/store';
import type { IStageTarget, Targets } from '../targets';
import { groupsOf } from './diagram';

/** Ask for a stage or a group of them, at first the one that had the focus last. */
export async function askForStage(
  store: ProjectStore | null,
  targets: Targets,
  title: string,
  trans: TranslationBundle
): Promise<IStageTarget | null> {
  if (!store) {
    return null;
  }
  const { pipeline } = store;
  if (!pipeline.isLoaded && !(await attempt(pipeline.refresh()))) {
    return null;
  }
  const choices = new Map<string, IStageTarget>();
  const add = (name: string, stages: IStageTarget['stages']): void => {
    choices.set(name, { kind: 'stage', store, name, stages });
  };
  groupsOf(pipeline.stages).forEach(stages => {
    const name = stages[0]?.group ?? '';
    add(`${name} (${String(stages.length)})`, stages);
  });
  pipeline.stages
    .filter(stage => stage.kind !== 'data')
    .forEach(stage => add(stage.name, [stage]));
  const { current } = targets;
  const items = [...choices.keys()];
  const result = await InputDialog.getItem({
    title,
    label: trans.__('Stage'),
    items,
    okLabel: title,
    current: Math.max(
      0,
      items.indexOf(current?.kind === 'stage' ? current.name : '')
    )
  });
  return result.button.accept && result.value !== null
    ? (choices.get(result.value) ?? null)
    : null;
}
