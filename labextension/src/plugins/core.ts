/** What all our plugins share. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';

import { MlopsClient } from '../api/client';
import { ModelsModel } from '../models/model';
import { EndpointClient } from '../api/endpoints';
import { EndpointsModel } from '../endpoints/model';
import { EnvironmentModel } from '../environment/model';
import { FeaturesModel } from '../features/model';
import { PipelineModel } from '../pipeline/model';
import { ProjectsModel } from '../projects/model';
import { ProjectStore } from '../projects/store';
import { Stores } from '../projects/stores';
import { Chosen } from '../runs/chosen';
import { rowHandlers } from '../runs/handlers';
import { RunsModel } from '../runs/model';
import { Targets } from '../targets';
import type { IMlopsSettings } from '../tokens';
import { IMlops } from '../tokens';

const PLUGIN_ID = 'jupyter-mlops:plugin';

export const corePlugin: JupyterFrontEndPlugin<IMlops> = {
  id: PLUGIN_ID,
  description: 'Knows the projects, runs and models.',
  autoStart: true,
  provides: IMlops,
  requires: [ITranslator],
  optional: [ISettingRegistry],
  activate: async (
    app: JupyterFrontEnd,
    translator: ITranslator,
    registry: ISettingRegistry | null
  ): Promise<IMlops> => {
    const { contents, events, serverSettings } = app.serviceManager;
    const client = new MlopsClient(serverSettings);
    const settings = await readSettings(registry);
    const targets = new Targets();
    const chosen = new Chosen();
    const stores: Stores = new Stores(
      project =>
        new ProjectStore({
          project,
          client,
          stream: events.stream,
          files: contents.fileChanged,
          interval: settings.pollInterval * 1000,
          isWanted: () => projects.isWanted
        })
    );
    const projects: ProjectsModel = new ProjectsModel(client, stores);
    targets.changed.connect(() => {
      app.commands.notifyCommandChanged();
    });
    chosen.changed.connect(() => {
      app.commands.notifyCommandChanged();
    });
    return {
      client,
      projects,
      stores,
      targets,
      chosen,
      settings,
      runs: new RunsModel(projects),
      models: new ModelsModel(projects),
      pipeline: new PipelineModel(projects),
      endpoints: new EndpointsModel(
        projects,
        new EndpointClient(serverSettings)
      ),
      features: new FeaturesModel(projects, contents.fileChanged),
      environment: new EnvironmentModel(projects),
      handlers: rowHandlers(app.commands, targets),
      trans: translator.load('jupyter_mlops')
    };
  }
};

/** The settings as they are at any time. */
async function readSettings(
  registry: ISettingRegistry | null
): Promise<IMlopsSettings> {
  const settings = await registry?.load(PLUGIN_ID).catch(() => null);
  return {
    get pollInterval() {
      const seconds = settings?.get('pollInterval').composite;
      return typeof seconds === 'number' ? seconds : 10;
    },
    get notify() {
      return settings?.get('notifyWhenFinished').composite !== false;
    }
  };
}
