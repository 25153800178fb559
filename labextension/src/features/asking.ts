/** Asking which feature is meant. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement } from 'react';

import type { FeatureView } from '../api/types';
import { SubmitDialog } from '../components/dialog';
import type { ProjectsModel } from '../projects/model';
import type { ProjectStore } from '../projects/store';
import type { IFeatureTarget, Targets } from '../targets';

export interface IAskingOptions {
  readonly projects: Pick<ProjectsModel, 'current' | 'retry'>;
  readonly targets: Targets;
  readonly trans: TranslationBundle;
}

/** The feature that the user points at. */
export function featureTarget(targets: Targets): IFeatureTarget | null {
  const target = targets.current;
  return target?.kind === 'feature' ? target : null;
}

/** The project that is shown, or would be if somebody looked. */
export async function currentStore({
  projects
}: Pick<IAskingOptions, 'projects'>): Promise<ProjectStore | null> {
  if (!projects.current) {
    await projects.retry();
  }
  return projects.current;
}

/**
 * Ask for a feature by a list with search.
 *
 * @param title - what is to be done with it, which stands on the button, too
 * @param isPossible - whether that can be done with a feature
 */
export async function askForFeature(
  options: IAskingOptions,
  title: string,
  isPossible: (feature: FeatureView) => boolean = () => true
): Promise<IFeatureTarget | null> {
  const { trans } = options;
  const store = await currentStore(options);
  if (!store) {
    return null;
  }
  const [{ Chooser }, { ChooserModel }] = await Promise.all([
    import('./chooser'),
    import('./choosing')
  ]);
  const { client, project } = store;
  const model = new ChooserModel(
    query => client.features.list(project.path, query),
    title,
    isPossible
  );
  const onTake = (): void => dialog.resolve();
  const dialog = new SubmitDialog<FeatureView>({
    title,
    body: ReactWidget.create(createElement(Chooser, { model, trans, onTake })),
    form: model,
    cancelLabel: trans.__('Cancel'),
    className: 'jp-Mlops-chooserDialog',
    focus: 'input'
  });
  const feature = await dialog.ask().finally(() => {
    dialog.dispose();
    model.dispose();
  });
  return feature && { kind: 'feature', store, feature };
}
