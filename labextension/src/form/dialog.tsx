/** The dialog "Run with parameters…". */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';

import type { MlopsClient } from '../api/client';
import type { ProjectView, SweepView } from '../api/types';
import { attempt } from '../components/attempt';
import type { ISubmittable } from '../components/dialog';
import { SubmitDialog } from '../components/dialog';
import { baseName } from '../format';
import { FormModel } from './model';
import type { IKnownCell, Notebooks } from './notebooks';
import { FormView } from './view';

export interface IRunDialogOptions {
  readonly client: MlopsClient;
  readonly notebooks: Notebooks;
  readonly project: ProjectView;
  /** Path of the notebook relative to the server's root, and to the project. */
  readonly path: string;
  readonly notebook: string;
  readonly trans: TranslationBundle;
}

/** Ask for parameters and start the runs. Returns null if the user changed their mind. */
export async function askAndRun(
  options: IRunDialogOptions
): Promise<SweepView | null> {
  const { client, notebooks, project, path, notebook, trans } = options;
  const model = new FormModel(client, project, notebook);
  const mark = async (cell: number): Promise<void> => {
    await attempt(notebooks.mark(path, cell));
    await model.load();
  };
  const share = (cells: readonly IKnownCell[]): boolean => {
    const isShared = notebooks.share(path, cells);
    if (isShared) {
      // The button that had the focus goes.
      dialog.node.querySelector<HTMLElement>('.jp-mod-accept')?.focus();
    } else {
      Notification.error(
        trans.__('The notebook has changed. Open this form anew to tag cells.'),
        { autoClose: 8000 }
      );
    }
    return isShared;
  };
  const dialog = new SubmitDialog({
    title: trans.__('Run %1', baseName(notebook)),
    body: ReactWidget.create(
      <FormView
        model={model}
        trans={trans}
        onMark={mark}
        onShare={notebooks.isOpen(path) ? share : null}
      />
    ),
    form: submittable(options, model),
    cancelLabel: trans.__('Cancel'),
    className: 'jp-Mlops-runDialog'
  });
  const answer = dialog.ask().finally(() => {
    dialog.dispose();
    model.dispose();
  });
  await model.load();
  return answer;
}

function submittable(
  options: IRunDialogOptions,
  model: FormModel
): ISubmittable<SweepView> {
  const { notebooks, path, trans } = options;
  return {
    changed: model.changed,
    get submitLabel() {
      const count = model.preview?.count ?? 0;
      return count > 1 ? trans.__('Run %1', count) : trans.__('Run');
    },
    get canSubmit() {
      return model.canSubmit;
    },
    submit: async () => {
      await notebooks.save(path);
      return model.submit();
    }
  };
}
