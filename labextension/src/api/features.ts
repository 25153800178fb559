/** What can be asked of the catalog of features. */
import type { ServerConnection } from '@jupyterlab/services';

import { request } from './request';
import type {
  CompareFeaturesRequest,
  ComputeRequest,
  DriftRequest,
  FeatureDetail,
  FeatureExportRequest,
  FeatureExportView,
  FeaturesView,
  JoinRequest,
  SweepView
} from './types';

/** Which features; what is not named does not matter. */
export interface IFeatureQuery {
  /** Words that stand in the name, description, entity, owner, tags or type. */
  readonly text?: string;
  readonly entity?: string;
  readonly owner?: string;
  readonly tag?: string;
  readonly type?: string;
  readonly offset?: number;
  readonly limit?: number;
}

/** Talks to the server extension. `project` is a project's path relative to the server's root. */
export class FeatureClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** A page of the catalog. */
  list(project: string, query: IFeatureQuery): Promise<FeaturesView> {
    return request(this.settings, 'get', '/features', {
      query: { project, ...query }
    });
  }

  /** All that is known of a feature; without models it is there at once. */
  detail(project: string, name: string, models = true): Promise<FeatureDetail> {
    const input = { path: { name }, query: { project, models } };
    return request(this.settings, 'get', '/features/{name}', input);
  }

  /** Queue the computation of features. */
  compute(project: string, body: ComputeRequest): Promise<SweepView> {
    const input = { query: { project }, body };
    return request(this.settings, 'post', '/feature-runs/compute', input);
  }

  /** Queue a join of features to the rows of a file. */
  join(project: string, body: JoinRequest): Promise<SweepView> {
    const input = { query: { project }, body };
    return request(this.settings, 'post', '/feature-runs/join', input);
  }

  /** Queue a comparison of features online and offline. */
  check(project: string, body: CompareFeaturesRequest): Promise<SweepView> {
    const input = { query: { project }, body };
    return request(this.settings, 'post', '/feature-runs/check', input);
  }

  /** Queue a comparison of features with what they were when a model was trained. */
  drift(project: string, body: DriftRequest): Promise<SweepView> {
    const input = { query: { project }, body };
    return request(this.settings, 'post', '/feature-runs/drift', input);
  }

  /** Write the catalog for another system. */
  export(
    project: string,
    body: FeatureExportRequest
  ): Promise<FeatureExportView> {
    const input = { query: { project }, body };
    return request(this.settings, 'post', '/feature-exports', input);
  }
}
