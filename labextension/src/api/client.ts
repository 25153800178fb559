/** What can be asked of one server, one method for each operation that the front end uses. */
import type { ServerConnection } from '@jupyterlab/services';

import { ArtifactClient } from './artifacts';
import { ComparingClient } from './comparing';
import { FeatureClient } from './features';
import { RegistryClient } from './registry';
import { request } from './request';
import type {
  EventView,
  ExecutorView,
  Finding,
  MetricSeries,
  ModelVersionView,
  NotebookFile,
  ParametersView,
  PipelineRequest,
  PipelineRunDetail,
  PipelineRunView,
  PipelineView,
  PreviewView,
  ProjectView,
  ResumptionView,
  RunDetail,
  RunView,
  SharingView,
  SpaceRequest,
  StageDetail,
  StatusView,
  SubmitRequest,
  SweepView,
  TailView
} from './types';

/** Talks to the server extension. `project` is a project's path relative to the server's root. */
export class MlopsClient {
  constructor(private readonly settings: ServerConnection.ISettings) {
    this.artifacts = new ArtifactClient(settings);
    this.comparing = new ComparingClient(settings);
    this.features = new FeatureClient(settings);
    this.registry = new RegistryClient(settings);
  }

  /** The files that runs keep. */
  readonly artifacts: ArtifactClient;

  /** Several runs together. */
  readonly comparing: ComparingClient;

  /** The catalog of features. */
  readonly features: FeatureClient;

  /** The registered models. */
  readonly registry: RegistryClient;

  /** The project that a file or folder belongs to. */
  project(path: string): Promise<ProjectView> {
    return request(this.settings, 'get', '/project', { query: { path } });
  }

  /** The projects that the server has seen. */
  projects(): Promise<readonly ProjectView[]> {
    return request(this.settings, 'get', '/projects', {});
  }

  status(project: string): Promise<StatusView> {
    return request(this.settings, 'get', '/status', { query: { project } });
  }

  doctor(project: string): Promise<readonly Finding[]> {
    return request(this.settings, 'get', '/doctor', { query: { project } });
  }

  /** Where runs may be executed, by what is known without asking anybody. */
  executors(project: string): Promise<readonly ExecutorView[]> {
    return request(this.settings, 'get', '/executors', { query: { project } });
  }

  parameters(project: string, notebook: string): Promise<ParametersView> {
    const query = { project, notebook };
    return request(this.settings, 'get', '/parameters', { query });
  }

  preview(project: string, body: SpaceRequest): Promise<PreviewView> {
    const query = { project };
    return request(this.settings, 'post', '/preview', { query, body });
  }

  /** Which cells the runs share, and what sharing others would save. */
  explain(project: string, body: SpaceRequest): Promise<SharingView> {
    const query = { project };
    return request(this.settings, 'post', '/explain', { query, body });
  }

  submit(project: string, body: SubmitRequest): Promise<SweepView> {
    const query = { project };
    return request(this.settings, 'post', '/sweeps', { query, body });
  }

  /** The newest sweeps first. */
  sweeps(project: string, limit: number): Promise<readonly SweepView[]> {
    const query = { project, limit };
    return request(this.settings, 'get', '/sweeps', { query });
  }

  sweep(project: string, id: string): Promise<SweepView> {
    const input = { path: { sweep_id: id }, query: { project } };
    return request(this.settings, 'get', '/sweeps/{sweep_id}', input);
  }

  cancelSweep(project: string, id: string): Promise<SweepView> {
    const input = { path: { sweep_id: id }, query: { project } };
    return request(this.settings, 'post', '/sweeps/{sweep_id}/cancel', input);
  }

  /** Run the failed and cancelled runs of a sweep again. */
  retrySweep(project: string, id: string): Promise<SweepView> {
    const input = { path: { sweep_id: id }, query: { project } };
    return request(this.settings, 'post', '/sweeps/{sweep_id}/retry', input);
  }

  async deleteSweep(project: string, id: string): Promise<void> {
    const input = { path: { sweep_id: id }, query: { project } };
    await request(this.settings, 'delete', '/sweeps/{sweep_id}', input);
  }

  /** The values of one metric of all of a sweep's runs, by step. */
  sweepMetrics(
    project: string,
    id: string,
    key: string
  ): Promise<readonly MetricSeries[]> {
    const input = { path: { sweep_id: id }, query: { project, key } };
    return request(this.settings, 'get', '/sweeps/{sweep_id}/metrics', input);
  }

  /** The runs of a sweep in its own order. */
  runs(project: string, sweep: string): Promise<readonly RunView[]> {
    return request(this.settings, 'get', '/runs', {
      query: { project, sweep }
    });
  }

  run(project: string, id: string): Promise<RunDetail> {
    const input = { path: { run_id: id }, query: { project } };
    return request(this.settings, 'get', '/runs/{run_id}', input);
  }

  cancelRun(project: string, id: string): Promise<RunView> {
    const input = { path: { run_id: id }, query: { project } };
    return request(this.settings, 'post', '/runs/{run_id}/cancel', input);
  }

  retryRun(project: string, id: string): Promise<RunView> {
    const input = { path: { run_id: id }, query: { project } };
    return request(this.settings, 'post', '/runs/{run_id}/retry', input);
  }

  /** What a retry from the failed cell would execute again. */
  resumption(project: string, id: string): Promise<ResumptionView> {
    const input = { path: { run_id: id }, query: { project } };
    return request(this.settings, 'get', '/runs/{run_id}/resume', input);
  }

  /** Run it again from the failed cell; the user has agreed to what that executes again. */
  resumeRun(project: string, id: string): Promise<RunView> {
    const input = {
      path: { run_id: id },
      query: { project },
      body: { agreed: true }
    };
    return request(this.settings, 'post', '/runs/{run_id}/resume', input);
  }

  /** What a run is doing right now. */
  tail(project: string, id: string): Promise<TailView> {
    const input = { path: { run_id: id }, query: { project } };
    return request(this.settings, 'get', '/runs/{run_id}/tail', input);
  }

  /** Write a run's notebook as far as it has come. */
  partialNotebook(project: string, id: string): Promise<NotebookFile> {
    const input = { path: { run_id: id }, query: { project } };
    return request(this.settings, 'post', '/runs/{run_id}/notebook', input);
  }

  async deleteRun(project: string, id: string): Promise<void> {
    const input = { path: { run_id: id }, query: { project } };
    await request(this.settings, 'delete', '/runs/{run_id}', input);
  }

  /** The stages, where they stand, and why they will run; DVC needs its time for it. */
  pipeline(project: string): Promise<PipelineView> {
    return request(this.settings, 'get', '/pipeline', { query: { project } });
  }

  stage(project: string, name: string): Promise<StageDetail> {
    const query = { project, name };
    return request(this.settings, 'get', '/pipeline/stage', { query });
  }

  runPipeline(
    project: string,
    body: PipelineRequest
  ): Promise<PipelineRunView> {
    const query = { project };
    return request(this.settings, 'post', '/pipeline/runs', { query, body });
  }

  /** A pipeline run and the stages that it looks at. */
  pipelineRun(project: string, id: string): Promise<PipelineRunDetail> {
    const input = { path: { pipeline_id: id }, query: { project } };
    return request(this.settings, 'get', '/pipeline/runs/{pipeline_id}', input);
  }

  cancelPipelineRun(project: string, id: string): Promise<PipelineRunView> {
    const input = { path: { pipeline_id: id }, query: { project } };
    return request(
      this.settings,
      'post',
      '/pipeline/runs/{pipeline_id}/cancel',
      input
    );
  }

  models(project: string): Promise<readonly ModelVersionView[]> {
    return request(this.settings, 'get', '/models', { query: { project } });
  }

  /** Events with a higher number than `after`, oldest first. */
  events(
    project: string,
    after: number,
    limit: number
  ): Promise<readonly EventView[]> {
    const query = { project, after, limit };
    return request(this.settings, 'get', '/events', { query });
  }
}
