/** The plugins of jupyter-mlops. */
import { artifactsPlugin, galleryPlugin } from './plugins/artifacts';
import { comparePlugin } from './plugins/compare';
import { corePlugin } from './plugins/core';
import { endpointsPlugin } from './plugins/endpoints';
import { examplePlugin } from './plugins/example';
import { featureModulesPlugin } from './plugins/featuremodules';
import { featuresPlugin } from './plugins/features';
import { modelTabPlugin } from './plugins/modeltab';
import { panelPlugin } from './plugins/panel';
import { pipelinePlugin } from './plugins/pipeline';
import { runPlugin } from './plugins/run';
import { runTabPlugin } from './plugins/runtab';
import { openerPlugin, runsPlugin } from './plugins/runs';
import { sharePlugin } from './plugins/share';
import { sweepPlugin } from './plugins/sweep';

export { IMlops, IOpener } from './tokens';

export default [
  corePlugin,
  openerPlugin,
  runsPlugin,
  examplePlugin,
  runPlugin,
  sharePlugin,
  sweepPlugin,
  runTabPlugin,
  comparePlugin,
  artifactsPlugin,
  galleryPlugin,
  modelTabPlugin,
  pipelinePlugin,
  endpointsPlugin,
  featuresPlugin,
  featureModulesPlugin,
  panelPlugin
];
