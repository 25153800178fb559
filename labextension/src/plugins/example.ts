/** "Try the example": the example project and its sweep, from a console. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import type { Contents } from '@jupyterlab/services';
import { Poll } from '@lumino/polling';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { IMlops } from '../tokens';

/** JupyterLab's command that opens a console. */
const CONSOLE = 'console:create';
const FOLDER = 'mlops-demo';
const CODE = `%load_ext jupyter_mlops\n%mlops demo ${FOLDER}`;
/** How often, in ms, and how many times to look for the folder that the example makes. */
const LOOK = { interval: 1000, times: 60 };

type Look = Poll<Contents.IModel, Error>;

/** The part of a console's tab that is used here. */
interface IConsoleTab {
  readonly sessionContext: { readonly ready: Promise<void> };
  readonly console: { inject(code: string): Promise<void> };
}

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
      isVisible: () => app.commands.hasCommand(CONSOLE),
      execute: async () => {
        const result = await showDialog({
          title: trans.__('Try the example'),
          body: trans.__(
            'This copies the example project to %1 and trains twelve models, as a console shows.',
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
  const { kernelspecs } = app.serviceManager;
  const { path } = browser.model;
  const tab = (await app.commands.execute(CONSOLE, {
    activate: true,
    cwd: path,
    kernelPreference: {
      name: kernelspecs.specs?.default ?? '',
      autoStartDefault: true
    }
  })) as IConsoleTab;
  await tab.sessionContext.ready;
  void tab.console.inject(CODE);
  await goWhenThere(app.serviceManager.contents, browser, path);
}

/** Go to the example's folder as soon as it is there, so that the panel shows its runs. */
async function goWhenThere(
  contents: Contents.IManager,
  browser: IDefaultFileBrowser,
  parent: string
): Promise<void> {
  const look: Look = new Poll({
    factory: () => contents.get(parent),
    frequency: { interval: LOOK.interval, backoff: false },
    standby: 'never'
  });
  const isThere = await appears(look).finally(() => {
    look.dispose();
  });
  if (isThere) {
    await browser.model.cd(`/${PathExt.join(parent, FOLDER)}`);
  }
}

/** Whether the example's folder appears while it is looked for. */
async function appears(look: Look): Promise<boolean> {
  for (let left = LOOK.times; left > 0; left--) {
    await look.tick;
    const { payload } = look.state;
    const entries =
      payload && 'content' in payload
        ? (payload.content as readonly Contents.IModel[] | null)
        : null;
    if (entries?.some(entry => entry.name === FOLDER)) {
      return true;
    }
  }
  return false;
}
