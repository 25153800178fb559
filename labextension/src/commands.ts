/** The names of our commands. */

export const CommandIDs = {
  /** Show the panel. */
  openPanel: 'mlops:open-panel',
  /** Ask for parameters and run a notebook. */
  run: 'mlops:run-with-parameters',
  /** Tag the cells of the current notebook that all runs can share. */
  share: 'mlops:share-cells',
  /** Fetch the example project and run it. */
  example: 'mlops:try-example',
  /** Show another project, or follow the current notebook. */
  switchProject: 'mlops:switch-project',
  /** Fetch everything again. */
  refresh: 'mlops:refresh',
  /** Check the project's set-up. */
  doctor: 'mlops:check-setup',
  /** Show or hide the filter of runs. */
  filter: 'mlops:filter-runs',
  /** Show or hide the filter of models. */
  filterModels: 'mlops:filter-models',
  /** Open a sweep's tab. */
  openSweep: 'mlops:open-sweep',
  /** Search the runs of a sweep. */
  searchRuns: 'mlops:search-runs',
  /** Choose a run to be compared, or choose it no longer. */
  chooseRun: 'mlops:choose-run',
  /** Open the runs that were chosen, or all of a sweep, side by side. */
  compareRuns: 'mlops:compare-runs',
  /** Open a run's tab. */
  openRun: 'mlops:open-run',
  /** Show what a run kept. */
  showArtifacts: 'mlops:show-artifacts',
  /** Open a file that a run kept in a tab of its own. */
  openArtifact: 'mlops:open-artifact',
  /** Save a file that a run kept on the user's machine. */
  downloadArtifact: 'mlops:download-artifact',
  /** Show a picture that a run kept beside those of the sweep's other runs. */
  compareArtifact: 'mlops:compare-artifact',
  /** Show a picture of each run of a sweep. */
  openGallery: 'mlops:open-gallery',
  /** Open the notebook of a run as far as the run has come. */
  openPartial: 'mlops:open-partial-output',
  /** Open the notebook that a run has written. */
  openOutput: 'mlops:open-output',
  /** Open the notebook that was run. */
  openSource: 'mlops:open-source',
  cancelRun: 'mlops:cancel-run',
  retryRun: 'mlops:retry-run',
  /** Run it again from the cell at which it failed. */
  resumeRun: 'mlops:retry-run-from-failed-cell',
  deleteRun: 'mlops:delete-run',
  cancelSweep: 'mlops:cancel-sweep',
  retrySweep: 'mlops:retry-sweep',
  deleteSweep: 'mlops:delete-sweep',
  /** Register a run's model. */
  registerRun: 'mlops:register-run',
  /** Register the model of a sweep's best run. */
  registerBest: 'mlops:register-best',
  /** Open a model version's tab. */
  openModel: 'mlops:open-model',
  /** Show what a model version was made from, and what was made of it. */
  showLineage: 'mlops:show-model-lineage',
  /** Show a model version beside another one. */
  compareModel: 'mlops:compare-model',
  /** Ask a model version for a prediction. */
  tryModel: 'mlops:try-model',
  /** Predict the rows of a file by a model version. */
  predictModel: 'mlops:predict-file',
  /** Say of a model version whose it is and what it is for. */
  describeModel: 'mlops:describe-model',
  /** Show how a model version is built again. */
  reproduceModel: 'mlops:reproduce-model',
  /** Open the run that made a model version. */
  openRunOfModel: 'mlops:open-model-run',
  /** Point an alias at a model version. */
  setAlias: 'mlops:set-alias',
  /** Open the notebook that made a model version. */
  openModelRun: 'mlops:open-model-notebook',
  /** Serve a model version. */
  serveModel: 'mlops:serve-model',
  /** Open an endpoint's tab. */
  openEndpoint: 'mlops:open-endpoint',
  /** Serve another version. */
  switchEndpoint: 'mlops:switch-endpoint-version',
  /** Serve the version again that was served before. */
  rollBackEndpoint: 'mlops:roll-back-endpoint',
  /** Choose what is kept of an endpoint's requests. */
  watchEndpoint: 'mlops:watch-endpoint-requests',
  /** Compare what was kept with the training data. */
  monitorEndpoint: 'mlops:compare-endpoint-requests',
  stopEndpoint: 'mlops:stop-endpoint',
  /** Type what is looked for in the catalog of features. */
  searchFeatures: 'mlops:search-features',
  /** Open a feature's tab. */
  openFeature: 'mlops:open-feature',
  /** Put the lines that fetch a feature into the current notebook. */
  insertFeature: 'mlops:insert-feature',
  /** Compute a feature unless it is fresh. */
  computeFeature: 'mlops:compute-feature',
  /** Compute a feature even if nothing has changed. */
  forceFeature: 'mlops:force-feature',
  /** Compute a feature for a span of time. */
  backfillFeature: 'mlops:compute-feature-for-time',
  /** Compute a feature, and fill the online store with it. */
  serveFeature: 'mlops:compute-feature-online',
  /** Compute all features that are not fresh. */
  computeFeatures: 'mlops:compute-features',
  /** Compare a sample of a feature online and offline. */
  checkFeature: 'mlops:check-feature',
  /** Compare a sample of all features online and offline. */
  checkFeatures: 'mlops:check-features',
  /** Compare a feature with what it was when a model was trained. */
  driftFeature: 'mlops:compare-feature-with-training',
  /** Join features to the rows of a file. */
  joinFeatures: 'mlops:make-training-set',
  /** Write the catalog for another system. */
  exportFeatures: 'mlops:export-features',
  /** Open the module that defines a feature. */
  openFeatureModule: 'mlops:open-feature-module',
  /** Write a module with a first feature. */
  writeFeature: 'mlops:write-feature',
  /** Open the pipeline's tab. */
  openPipeline: 'mlops:open-pipeline',
  /** Bring everything up to date. */
  runStale: 'mlops:run-stale-stages',
  cancelPipeline: 'mlops:cancel-pipeline-run',
  /** Open a stage's sheet in the pipeline's tab. */
  openStage: 'mlops:open-stage',
  /** Bring a stage up to date, with what it depends on. */
  runStage: 'mlops:run-stage',
  /** Bring a stage up to date, and what depends on it. */
  runFollowing: 'mlops:run-stage-with-following',
  /** Run a stage even if nothing has changed. */
  forceStage: 'mlops:force-stage',
  forceFollowing: 'mlops:force-stage-with-following',
  /** Show why a stage will run. */
  explainStage: 'mlops:explain-stage',
  /** Open the run of a stage's notebook. */
  openStageRun: 'mlops:open-stage-run',
  /** Open the notebook that a stage executes. */
  openStageNotebook: 'mlops:open-stage-notebook',
  /** Open the file that declares a stage. */
  openStageFile: 'mlops:open-stage-file',
  /** Draw the stages of a foreach or matrix one by one, or as one. */
  foldGroup: 'mlops:fold-stage-group',
  zoomToFit: 'mlops:zoom-pipeline-to-fit',
  zoomIn: 'mlops:zoom-pipeline-in',
  zoomOut: 'mlops:zoom-pipeline-out',
  /** Show the pipeline as a list or as a graph. */
  toggleList: 'mlops:toggle-pipeline-list',
  /** Write a first dvc.yaml, or open the one that there is. */
  writePipeline: 'mlops:write-pipeline'
} as const;

/** Describes the arguments of a command that takes none. */
export const NO_ARGUMENTS = {
  args: { type: 'object', properties: {} }
} as const;
