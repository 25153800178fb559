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
  /** Open a sweep's tab. */
  openSweep: 'mlops:open-sweep',
  /** Open a run's tab. */
  openRun: 'mlops:open-run',
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
  /** Point an alias at a model version. */
  setAlias: 'mlops:set-alias',
  /** Open the notebook that made a model version. */
  openModelRun: 'mlops:open-model-notebook'
} as const;

/** Describes the arguments of a command that takes none. */
export const NO_ARGUMENTS = {
  args: { type: 'object', properties: {} }
} as const;
