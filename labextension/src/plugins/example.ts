/** "Try the example": the example project and its sweep, in a terminal. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { MainAreaWidget } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { Terminal } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';
import { Poll } from '@lumino/polling';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { IMlops } from '../tokens';

const FOLDER = 'mlops-demo';
/** How often, in ms, and how many times to look for the folder that the command makes. */
const LOOK = { interval: 1000, times: 60 };

type TerminalTab = MainAreaWidget<
  Widget & { readonly session: Terminal.ITerminalConnection }
>;

export const examplePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:example',
  description: 'Fetches the example project and runs it.',
  autoStart: true,
  requires: [IMlops, IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    browser: IDefaultFileBrowser
  ): void => {
    const { trans } = mlops;
    app.commands.addCommand(CommandIDs.example, {
      label: trans.__('Try the Example'),
      caption: trans.__('Copy the example project here and sweep its notebook'),
      describedBy: NO_ARGUMENTS,
      isVisible: () => app.serviceManager.terminals.isAvailable(),
      execute: async () => {
        const result = await showDialog({
          title: trans.__('Try the example'),
          body: trans.__(
            'This copies the example project to %1 and trains twelve models, in a terminal.',
            PathExt.join(browser.model.path, FOLDER)
          ),
          buttons: [
            Dialog.cancelButton({ label: trans.__('Cancel') }),
            Dialog.okButton({ label: trans.__('Try it') })
          ]
        });
        if (result.button.accept) {
          await start(app, browser);
        }
      }
    });
  }
};

async function start(
  app: JupyterFrontEnd,
  browser: IDefaultFileBrowser
): Promise<void> {
  const cwd = browser.model.path;
  const tab = (await app.commands.execute('terminal:create-new', {
    cwd
  })) as TerminalTab;
  const { session } = tab.content;
  session.send({ type: 'stdin', content: ['jupyter mlops demo\r'] });
  const path = PathExt.join(cwd, FOLDER);
  const { contents } = app.serviceManager;
  let left = LOOK.times;
  const look = new Poll({
    factory: async () => {
      left -= 1;
      await contents.get(`${path}/mlops.toml`, { content: false });
      await browser.model.cd(`/${path}`);
      look.dispose();
    },
    frequency: { interval: LOOK.interval, backoff: false },
    standby: () => left <= 0
  });
}
