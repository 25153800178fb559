/** What can be asked about models that are served, and of them. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { request } from './request';
import type {
  EndpointDetail,
  EndpointLog,
  EndpointView,
  MonitoringRequest,
  MonitoringView,
  ServeRequest,
  SweepView
} from './types';

/** What a model answered. */
export interface IScored {
  /** Null if the request was refused. */
  readonly predictions: unknown;
  /** Why it was refused, or null. */
  readonly message: string | null;
  /** The column that was refused, if it is about one. */
  readonly column: string | null;
  /** How long it took, in ms. */
  readonly took: number;
}

interface ILooseAnswer {
  readonly predictions?: unknown;
  readonly message?: unknown;
  readonly column?: unknown;
  readonly error?: { readonly message?: unknown };
}

/** Talks to the server extension. `project` is a project's path relative to the server's root. */
export class EndpointClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  list(project: string): Promise<readonly EndpointView[]> {
    return request(this.settings, 'get', '/endpoints', { query: { project } });
  }

  /** An endpoint, and what may be asked of it. */
  detail(project: string, name: string): Promise<EndpointDetail> {
    const input = { path: { name }, query: { project } };
    return request(this.settings, 'get', '/endpoints/{name}', input);
  }

  /** Serve a version, in place of the one that is served. */
  serve(
    project: string,
    name: string,
    body: ServeRequest
  ): Promise<EndpointView> {
    const input = { path: { name }, query: { project }, body };
    return request(this.settings, 'put', '/endpoints/{name}', input);
  }

  rollBack(project: string, name: string): Promise<EndpointView> {
    const input = { path: { name }, query: { project } };
    return request(this.settings, 'post', '/endpoints/{name}/rollback', input);
  }

  async stop(project: string, name: string): Promise<void> {
    const input = { path: { name }, query: { project } };
    await request(this.settings, 'delete', '/endpoints/{name}', input);
  }

  log(project: string, name: string): Promise<EndpointLog> {
    const input = { path: { name }, query: { project } };
    return request(this.settings, 'get', '/endpoints/{name}/log', input);
  }

  /** What the last comparison of its requests has found. */
  monitoring(project: string, name: string): Promise<MonitoringView> {
    const input = { path: { name }, query: { project } };
    return request(this.settings, 'get', '/models/{name}/monitoring', input);
  }

  /** Queue a comparison of its requests. */
  monitor(
    project: string,
    name: string,
    body: MonitoringRequest
  ): Promise<SweepView> {
    const input = { path: { name }, query: { project }, body };
    return request(this.settings, 'post', '/models/{name}/monitoring', input);
  }

  /** Ask for predictions as any program would. `body` is JSON. */
  async ask(project: string, name: string, body: string): Promise<IScored> {
    const { settings } = this;
    const place = `mlops/endpoints/${encodeURIComponent(name)}/invocations`;
    const query = new URLSearchParams({ project });
    const began = performance.now();
    const response = await ServerConnection.makeRequest(
      `${URLExt.join(settings.baseUrl, place)}?${query.toString()}`,
      {
        method: 'POST',
        body,
        headers: { 'Content-Type': 'application/json' }
      },
      settings
    );
    const answer = (await response
      .json()
      .catch(() => null)) as ILooseAnswer | null;
    const took = performance.now() - began;
    if (response.ok && answer) {
      const predictions = answer.predictions ?? answer;
      return { predictions, message: null, column: null, took };
    }
    const message = answer?.message ?? answer?.error?.message;
    return {
      predictions: null,
      message:
        typeof message === 'string'
          ? message
          : `The server answered ${String(response.status)} ${response.statusText}.`,
      column: typeof answer?.column === 'string' ? answer.column : null,
      took
    };
  }
}
