import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EndpointClient } from '../../api/endpoints';
import { aStatus, anEndpoint } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { ProjectStore } from '../../projects/store';
import { Serving } from '../serving';

describe('Serving', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let serving: Serving;
  const release = vi.fn();

  beforeEach(() => {
    release.mockClear();
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /endpoints', [anEndpoint({ name: 'others' })])
      .on('GET /endpoints/flights', {
        endpoint: anEndpoint(),
        columns: [{ name: 'hour', type: 'long', required: true }],
        example: null
      })
      .on('PUT /endpoints/flights', () => {
        server.on('GET /endpoints', [anEndpoint()]);
        return anEndpoint({ status: 'starting' });
      });
    store = aStore(server);
    serving = new Serving({
      store,
      name: 'flights',
      endpoints: new EndpointClient(server.settings),
      acquire: () => ({ store, dispose: release, isDisposed: false }),
      isShown: () => true
    });
  });
  afterEach(() => {
    serving.dispose();
    store.dispose();
  });

  it('knows that no version is served, until one is', async () => {
    expect(serving.isKnown).toBe(false);
    await serving.refresh();
    expect([serving.isKnown, serving.endpoint]).toEqual([true, null]);
    expect(server.count('GET /endpoints/flights')).toBe(0);
    await serving.serve(3);
    expect(server.last('PUT /endpoints/flights').body).toMatchObject({
      version: 3
    });
    await vi.waitFor(() => {
      expect(serving.endpoint?.endpoint?.version).toBe(3);
    });
    expect(serving.endpoint?.trial.columns).toHaveLength(1);
  });

  it('lets go of an endpoint that is stopped', async () => {
    server.on('GET /endpoints', [anEndpoint()]);
    await serving.refresh();
    await vi.waitFor(() => {
      expect(serving.endpoint?.endpoint).toBeTruthy();
    });
    server.on(
      'GET /endpoints/flights',
      refusal(404, 'not_found', 'flights is not served.')
    );
    await serving.refresh();
    await vi.waitFor(() => {
      expect(serving.endpoint).toBeNull();
    });
    expect(release).toHaveBeenCalledOnce();
    expect(serving.isKnown).toBe(true);
  });

  it('says why it is not known', async () => {
    server.on('GET /endpoints', refusal(503, 'away', 'No worker.'));
    await serving.refresh();
    expect([serving.isKnown, serving.problem]).toEqual([false, 'No worker.']);
  });
});
