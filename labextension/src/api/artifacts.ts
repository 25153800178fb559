/** What can be asked of the files that runs keep. */
import type { ServerConnection } from '@jupyterlab/services';

import { fileUrl, request, requestFile } from './request';
import type { ArtifactsView, ArtifactView } from './types';

const CONTENT = '/runs/{run_id}/artifact/content';

/** Where a file is: a project's path, a run's id, and the path in the run. */
export interface IArtifactPlace {
  readonly project: string;
  readonly run: string;
  readonly path: string;
}

/** Talks to the server extension about the files of runs. */
export class ArtifactClient {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  /** What a run kept. */
  list(project: string, run: string): Promise<ArtifactsView> {
    const input = { path: { run_id: run }, query: { project } };
    return request(this.settings, 'get', '/runs/{run_id}/artifacts', input);
  }

  /** A file with its hash, for which all of it is read where it lies. */
  detail(place: IArtifactPlace): Promise<ArtifactView> {
    const input = inputOf(place);
    return request(this.settings, 'get', '/runs/{run_id}/artifact', input);
  }

  /** The first bytes of a file, at most so many. */
  read(place: IArtifactPlace, first: number): Promise<Uint8Array> {
    const { path, query } = inputOf(place);
    const input = { path, query: { ...query, first } };
    return requestFile(this.settings, CONTENT, input);
  }

  /** The address at which the browser downloads a file. */
  url(place: IArtifactPlace): string {
    return fileUrl(this.settings, CONTENT, inputOf(place));
  }
}

function inputOf({ project, run, path }: IArtifactPlace): {
  readonly path: { readonly run_id: string };
  readonly query: { readonly project: string; readonly path: string };
} {
  return { path: { run_id: run }, query: { project, path } };
}
