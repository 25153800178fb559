/** Asking for a few lines of text in a dialog. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement } from 'react';

import { SubmitDialog } from '../components/dialog';
import type { FieldsModel } from './fields';
import { FieldsForm } from './form';

export interface IQuestion {
  readonly title: string;
  /** Selects the element that gets the focus. */
  readonly focus: string;
}

/** Ask in a dialog that stays open until the server has taken the answer. */
export async function askFields<T>(
  form: FieldsModel<T>,
  trans: TranslationBundle,
  question: IQuestion
): Promise<T | null> {
  const dialog = new SubmitDialog({
    ...question,
    body: ReactWidget.create(createElement(FieldsForm, { model: form, trans })),
    form,
    cancelLabel: trans.__('Cancel'),
    className: 'jp-Mlops-registerDialog'
  });
  return dialog.ask().finally(() => {
    dialog.dispose();
  });
}
