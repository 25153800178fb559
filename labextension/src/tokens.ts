/** What our plugins offer each other. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';

import type { MlopsClient } from './api/client';
import type { ProjectView, RunView } from './api/types';
import type { EndpointsModel } from './endpoints/model';
import type { EnvironmentModel } from './environment/model';
import type { FeaturesModel } from './features/model';
import type { ModelsModel } from './models/model';
import type { PipelineModel } from './pipeline/model';
import type { ProjectsModel } from './projects/model';
import type { Stores } from './projects/stores';
import type { Chosen } from './runs/chosen';
import type { IRowHandlers } from './runs/handlers';
import type { RunsModel } from './runs/model';
import type { Targets } from './targets';

/** What the user has set. */
export interface IMlopsSettings {
  /** Seconds between two polls for missed changes. */
  readonly pollInterval: number;
  /** Whether the end of a sweep is announced. */
  readonly notify: boolean;
}

/** What is known, and what the user points at. */
export interface IMlops {
  readonly client: MlopsClient;
  readonly projects: ProjectsModel;
  readonly stores: Stores;
  readonly runs: RunsModel;
  readonly models: ModelsModel;
  readonly pipeline: PipelineModel;
  readonly endpoints: EndpointsModel;
  readonly features: FeaturesModel;
  readonly environment: EnvironmentModel;
  readonly targets: Targets;
  /** The runs that are to be compared. */
  readonly chosen: Chosen;
  /** What the rows of runs, sweeps and models do. */
  readonly handlers: IRowHandlers;
  readonly settings: IMlopsSettings;
  readonly trans: TranslationBundle;
}

export const IMlops = new Token<IMlops>(
  'jupyter-mlops:IMlops',
  'The projects, runs and models that the MLOps panel shows.'
);

/** Opens documents and tabs. */
export interface IOpener {
  /** Open the notebook that a run has written, at its error if it failed. */
  openOutput(project: ProjectView, run: RunView): Promise<void>;
  /** Open an output notebook, by its path in the project, that has just been written. */
  openWritten(project: ProjectView, notebook: string): Promise<void>;
  /** Open a notebook of a project. */
  openSource(project: ProjectView, notebook: string): void;
  /** Open a file of a project, at a line that is counted from 1. */
  openFile(project: ProjectView, path: string, line?: number): void;
}

export const IOpener = new Token<IOpener>(
  'jupyter-mlops:IOpener',
  'Opens the notebooks of runs.'
);
