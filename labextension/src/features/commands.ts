/** What can be done with features. */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { FeatureExportView, SweepView } from '../api/types';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { ProjectStore } from '../projects/store';
import type { IFeatureTarget } from '../targets';
import type { IAction } from './actions';
import { comparisons, computations, insertion } from './actions';
import type { IAskingOptions } from './asking';
import { askForFeature, currentStore, featureTarget } from './asking';

export interface IFeatureCommandsOptions extends IAskingOptions {
  readonly commands: CommandRegistry;
  /** Put lines into a new cell of the current notebook. */
  readonly insert: (lines: string) => Promise<void>;
}

/** Register the commands that act on one feature, and those that act on all. */
export function addFeatureCommands(options: IFeatureCommandsOptions): void {
  const { trans, insert } = options;
  for (const action of [
    insertion(insert, trans),
    ...computations(trans),
    ...comparisons(trans)
  ]) {
    addAction(options, action);
  }
  addCatalogCommands(options);
}

function addAction(options: IFeatureCommandsOptions, action: IAction): void {
  const { commands, targets } = options;
  const isPossible = action.isPossible ?? (() => true);
  const aimed = (): IFeatureTarget | null => {
    const target = featureTarget(targets);
    return target && isPossible(target.feature) ? target : null;
  };
  commands.addCommand(action.id, {
    // Where no feature has the focus it asks for one.
    label: () => (aimed() && !action.asks ? action.label : `${action.label}…`),
    caption: action.caption,
    describedBy: NO_ARGUMENTS,
    isVisible: () => !targets.isPointed || aimed() !== null,
    execute: async () => {
      const target =
        aimed() ?? (await askForFeature(options, action.label, isPossible));
      if (target) {
        await attempt(show(options, target.store, action.act(target)));
      }
    }
  });
}

/** Open the run that was queued. */
async function show(
  { commands, targets }: IFeatureCommandsOptions,
  store: ProjectStore,
  queued: Promise<SweepView | null>
): Promise<void> {
  const sweep = await queued;
  if (sweep) {
    store.put(sweep);
    targets.focus({ kind: 'sweep', store, sweep });
    await commands.execute(CommandIDs.openRun);
  }
}

/** What concerns the catalog as a whole. */
function addCatalogCommands(options: IFeatureCommandsOptions): void {
  const { commands, targets, trans } = options;
  const add = (
    id: string,
    label: string,
    caption: string,
    act: (store: ProjectStore) => Promise<SweepView | null>
  ): void => {
    commands.addCommand(id, {
      label,
      caption,
      describedBy: NO_ARGUMENTS,
      execute: async () => {
        const store = await currentStore(options);
        if (store) {
          await attempt(show(options, store, act(store)));
        }
      }
    });
  };
  add(
    CommandIDs.computeFeatures,
    trans.__('Compute Features'),
    trans.__('Compute all features that are not fresh'),
    ({ client, project }) => client.features.compute(project.path, {})
  );
  add(
    CommandIDs.checkFeatures,
    trans.__('Check Features'),
    trans.__('Compare a sample of all features online and offline'),
    ({ client, project }) => client.features.check(project.path, {})
  );
  add(
    CommandIDs.joinFeatures,
    trans.__('Make Training Set…'),
    trans.__('Join features to the rows of a file, each as it was known then'),
    async store => {
      const feature = featureTarget(targets)?.feature.name;
      const [{ askFields }, { joinForm }] = await Promise.all([
        import('../models/asking'),
        import('./forms')
      ]);
      return askFields(
        joinForm(store, feature ? [feature] : [], trans),
        trans,
        {
          title: trans.__('Join features to the rows of a file'),
          focus: 'input'
        }
      );
    }
  );
  add(
    CommandIDs.exportFeatures,
    trans.__('Export Features…'),
    trans.__('Write the catalog for Feast, DataHub or Amundsen'),
    async store => {
      const [{ askFields }, { exportForm }] = await Promise.all([
        import('../models/asking'),
        import('./forms')
      ]);
      const written = await askFields(exportForm(store, trans), trans, {
        title: trans.__('Write the catalog for another system'),
        focus: 'select'
      });
      if (written) {
        tellExport(written, trans);
      }
      return null;
    }
  );
}

function tellExport(
  { files, folder, notes }: FeatureExportView,
  trans: TranslationBundle
): void {
  const done = trans._n(
    'Wrote %1 file to %2.',
    'Wrote %1 files to %2.',
    files.length,
    folder
  );
  Notification.success([done, ...notes].join(' '), {
    autoClose: notes.length > 0 ? 20_000 : 5000
  });
}
