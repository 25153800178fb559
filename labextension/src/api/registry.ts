/** What can be asked of registered models. */
import type { ServerConnection } from '@jupyterlab/services';

import { request } from './request';
import type {
  AliasRequest,
  AnnotateRequest,
  CardView,
  ComparisonView,
  LineageView,
  ModelVersionView,
  PredictRequest,
  RegisterRequest,
  SweepView
} from './types';

/** Talks to the server extension about models. */
export class RegistryClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** Register the model of a run, or of the best run of a sweep. */
  register(
    project: string,
    name: string,
    body: RegisterRequest
  ): Promise<ModelVersionView> {
    const input = { path: { name }, query: { project }, body };
    return request(this.settings, 'post', '/models/{name}/versions', input);
  }

  /** The card of a version. */
  card(project: string, name: string, version: number): Promise<CardView> {
    const path = { name, version: String(version) };
    const input = { path, query: { project } };
    return request(
      this.settings,
      'get',
      '/models/{name}/versions/{version}',
      input
    );
  }

  /** Tag a version, and write notes on it. */
  annotate(
    project: string,
    name: string,
    version: number,
    body: AnnotateRequest
  ): Promise<ModelVersionView> {
    const path = { name, version: String(version) };
    const input = { path, query: { project }, body };
    return request(
      this.settings,
      'put',
      '/models/{name}/versions/{version}',
      input
    );
  }

  /** Two versions fact by fact. */
  compare(
    project: string,
    name: string,
    versions: readonly [number, number]
  ): Promise<ComparisonView> {
    const query = { project, versions: versions.join(',') };
    const input = { path: { name }, query };
    return request(this.settings, 'get', '/models/{name}/comparison', input);
  }

  /** What something was made from, and what was made of it. */
  lineage(project: string, node: string): Promise<LineageView> {
    return request(this.settings, 'get', '/lineage', {
      query: { project, node }
    });
  }

  /** Queue a run that predicts the rows of a file. */
  predict(
    project: string,
    name: string,
    body: PredictRequest
  ): Promise<SweepView> {
    const input = { path: { name }, query: { project }, body };
    return request(this.settings, 'post', '/models/{name}/predictions', input);
  }

  setAlias(
    project: string,
    name: string,
    alias: string,
    body: AliasRequest
  ): Promise<ModelVersionView> {
    const input = { path: { name, alias }, query: { project }, body };
    return request(
      this.settings,
      'put',
      '/models/{name}/aliases/{alias}',
      input
    );
  }
}
