/** Asking before something that cannot be taken back. */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/** Ask whether to do what the title says; `keepLabel` stands on the button that does not. */
export async function confirm(
  title: string,
  body: string,
  trans: TranslationBundle,
  keepLabel = trans.__('Keep')
): Promise<boolean> {
  const label = title.replace('…', '');
  const result = await showDialog({
    title: label,
    body,
    buttons: [
      Dialog.cancelButton({ label: keepLabel }),
      Dialog.warnButton({ label })
    ]
  });
  return result.button.accept;
}
