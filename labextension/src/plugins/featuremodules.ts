/** Opening and writing the modules that define features. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import { askForFeature, featureTarget } from '../features/asking';
import { PATH, TEMPLATE } from '../features/template';
import type { IFeatureTarget } from '../targets';
import { IMlops, IOpener } from '../tokens';

export const featureModulesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:feature-modules',
  description: 'Opens and writes the modules that define features.',
  autoStart: true,
  requires: [IMlops, IOpener],
  activate: (app: JupyterFrontEnd, mlops: IMlops, opener: IOpener): void => {
    addOpenCommand(app, mlops, opener);
    addWriteCommand(app, mlops, opener);
  }
};

const ARGUMENTS = {
  type: 'object',
  properties: {
    path: {
      type: 'string',
      description:
        'Path of a module in the project; by default that of the feature that has the focus.'
    }
  }
} as const;

function addOpenCommand(
  app: JupyterFrontEnd,
  mlops: IMlops,
  opener: IOpener
): void {
  const { projects, targets, trans } = mlops;
  app.commands.addCommand(CommandIDs.openFeatureModule, {
    label: () =>
      featureTarget(targets)
        ? trans.__('Open Module of Feature')
        : trans.__('Open Module of Feature…'),
    caption: trans.__('Open the file that defines the feature, at its line'),
    describedBy: { args: ARGUMENTS },
    execute: async ({ path }) => {
      if (typeof path === 'string') {
        const project = projects.current?.project;
        if (project) {
          opener.openFile(project, path);
        }
        return;
      }
      const title = trans.__('Open Module of Feature');
      const target =
        featureTarget(targets) ?? (await askForFeature(mlops, title));
      if (target) {
        await attempt(openModule(target, opener));
      }
    }
  });
}

function addWriteCommand(
  app: JupyterFrontEnd,
  { projects, trans }: IMlops,
  opener: IOpener
): void {
  app.commands.addCommand(CommandIDs.writeFeature, {
    label: trans.__('Write a First Feature'),
    caption: trans.__('Open a module of features to begin with'),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => projects.current !== null,
    execute: async () => {
      const project = projects.current?.project;
      if (project && (await attempt(write(app, project.path)))) {
        opener.openFile(project, PATH);
      }
    }
  });
}

async function openModule(
  { store, feature }: IFeatureTarget,
  opener: IOpener
): Promise<void> {
  const { client, project } = store;
  const found = await client.features.detail(project.path, feature.name);
  opener.openFile(project, found.path, found.line);
}

/** Write a module with an example that is commented out, unless there is one. */
async function write(app: JupyterFrontEnd, project: string): Promise<void> {
  const { contents } = app.serviceManager;
  const folder = PathExt.join(project, PathExt.dirname(PATH));
  const names = async (path: string): Promise<readonly string[]> => {
    const { content } = (await contents.get(path, { content: true })) as {
      readonly content: readonly { readonly name: string }[];
    };
    return content.map(({ name }) => name);
  };
  if (!(await names(project)).includes(PathExt.dirname(PATH))) {
    await contents.save(folder, { type: 'directory' });
  }
  if (!(await names(folder)).includes(PathExt.basename(PATH))) {
    const type = { type: 'file', format: 'text' } as const;
    const path = PathExt.join(project, PATH);
    await contents.save(path, { ...type, content: TEMPLATE });
  }
}
