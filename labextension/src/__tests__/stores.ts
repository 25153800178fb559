/** Stores of projects for tests, which ask a server for tests. */
import type { Event } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';

import type { IProjectStoreOptions } from '../projects/store';
import { ProjectStore } from '../projects/store';
import { Stores } from '../projects/stores';
import { PROJECT } from './samples';
import type { FakeServer } from './server';

/** JupyterLab's events, of which none comes unless a test emits it. */
export function aStream(): Stream<Event.IManager, Event.Emission> {
  return new Stream({} as Event.IManager);
}

/** A store that is wanted, and hardly ever asks by itself. */
export function aStore(
  server: FakeServer,
  given: Partial<IProjectStoreOptions> = {}
): ProjectStore {
  return new ProjectStore({
    project: PROJECT,
    client: server.client,
    stream: aStream(),
    files: server.files,
    interval: 60_000,
    isWanted: () => true,
    ...given
  });
}

/** All projects' stores; each is such a one. */
export function someStores(
  server: FakeServer,
  given: Partial<IProjectStoreOptions> = {}
): Stores {
  return new Stores(project => aStore(server, { ...given, project }));
}
