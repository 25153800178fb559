import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EndpointClient } from '../../api/endpoints';
import { aStatus, anEndpoint, PROJECT } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { someStores } from '../../__tests__/stores';
import { ProjectsModel } from '../../projects/model';
import type { Stores } from '../../projects/stores';
import { EndpointsModel } from '../../endpoints/model';
import { EndpointModel } from '../model';

let server: FakeServer;
let stores: Stores;

beforeEach(() => {
  server = new FakeServer()
    .on('GET /status', aStatus())
    .on('GET /sweeps', [])
    .on('GET /models', [])
    .on('GET /project', PROJECT)
    .on('GET /endpoints', [anEndpoint()])
    .on('GET /endpoints/flights', {
      endpoint: anEndpoint(),
      columns: [],
      example: null
    })
    .on('GET /endpoints/flights/log', { path: 'x.log', text: 'started' });
  stores = someStores(server);
});
afterEach(() => {
  stores.dispose();
});

describe('EndpointModel', () => {
  it('asks for what is shown, and tells when nothing is served any more', async () => {
    const model = new EndpointModel({
      lease: stores.acquire(PROJECT),
      client: new EndpointClient(server.settings),
      name: 'flights',
      state: { part: 'try' },
      isShown: () => true
    });
    await vi.waitFor(() => {
      expect(model.endpoint?.version).toBe(3);
    });
    expect(server.count('GET /endpoints/flights/log')).toBe(0);
    model.show('log');
    await vi.waitFor(() => {
      expect(model.log?.text).toBe('started');
    });
    server.on(
      'GET /endpoints/flights',
      refusal(404, 'not_found', 'flights is not served.')
    );
    await model.refresh();
    await vi.waitFor(() => {
      expect([model.isGone, model.problem]).toEqual([
        true,
        'flights is not served.'
      ]);
    });
    model.dispose();
  });
});

describe('EndpointsModel', () => {
  it('asks for nothing until somebody looks', async () => {
    const projects = new ProjectsModel(server.client, stores);
    const model = new EndpointsModel(
      projects,
      new EndpointClient(server.settings)
    );
    await projects.follow('flights/train.ipynb', false);
    expect(server.count('GET /endpoints')).toBe(0);
    model.want(true);
    await projects.want(true);
    await vi.waitFor(() => {
      expect(model.endpoints?.map(each => each.name)).toEqual(['flights']);
    });
    server.on('GET /endpoints', refusal(503, 'away', 'No worker.'));
    await model.refresh();
    expect(model.problem).toBe('No worker.');
    expect(model.endpoints).toHaveLength(1);
    model.dispose();
    projects.dispose();
  });
});
