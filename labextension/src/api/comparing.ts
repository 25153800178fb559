/** What can be asked of several runs together: searching and comparing them. */
import type { ServerConnection } from '@jupyterlab/services';

import { request } from './request';
import type {
  CellsView,
  CompareView,
  CurvesView,
  FieldsView,
  RunPage
} from './types';

/** Talks to the server extension about runs that are searched or compared. */
export class ComparingClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** The runs of a sweep on a condition such as `metrics.auc > 0.7`. */
  search(project: string, sweep: string, where: string): Promise<RunPage> {
    const query = { project, sweep, where };
    return request(this.settings, 'get', '/search/runs', { query });
  }

  /** What runs can be searched by. */
  fields(project: string): Promise<FieldsView> {
    return request(this.settings, 'get', '/search/fields', {
      query: { project }
    });
  }

  /** Runs side by side, what differs first; a sweep's id stands for all of its runs. */
  runs(project: string, ids: readonly string[]): Promise<CompareView> {
    const input = { query: { project }, body: { ids } };
    return request(this.settings, 'post', '/compare', input);
  }

  /** A metric of several runs by step. */
  curves(
    project: string,
    ids: readonly string[],
    key: string
  ): Promise<CurvesView> {
    const input = { query: { project }, body: { ids, key } };
    return request(this.settings, 'post', '/compare/curves', input);
  }

  /** Two output notebooks, cell by cell. */
  cells(project: string, left: string, right: string): Promise<CellsView> {
    const input = { query: { project }, body: { left, right } };
    return request(this.settings, 'post', '/compare/cells', input);
  }
}
