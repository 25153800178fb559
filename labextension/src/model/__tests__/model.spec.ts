import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aModel, aStatus } from '../../__tests__/samples';
import { aStore } from '../../__tests__/stores';
import type { ProjectStore } from '../../projects/store';
import { ModelTabModel } from '../model';
import { NO_STATE, readState } from '../state';

const ROOT = '/models/late-flights';

function card(version: number): unknown {
  return {
    version: aModel({ version }),
    complete: version,
    parts: [],
    markdown: '',
    aliases: [],
    record: null
  };
}

describe('ModelTabModel', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let model: ModelTabModel;
  const dispose = vi.fn();

  beforeEach(async () => {
    dispose.mockClear();
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on(
        'GET /models',
        [1, 3, 2].map(version => aModel({ version }))
      )
      .on('GET /lineage', { nodes: [], edges: [] });
    [1, 2, 3].forEach(version =>
      server.on(`GET ${ROOT}/versions/${String(version)}`, card(version))
    );
    server.on(`GET ${ROOT}/comparison`, {
      model: 'late-flights',
      first: 1,
      second: 2,
      differences: []
    });
    store = aStore(server);
    model = new ModelTabModel({
      lease: { store, dispose, isDisposed: false },
      name: 'late-flights',
      version: 2,
      state: NO_STATE
    });
    await vi.waitFor(() => {
      expect(model.card?.complete).toBe(2);
      expect(model.versions).toHaveLength(3);
    });
  });
  afterEach(() => {
    model.dispose();
    store.dispose();
  });

  it('knows the versions, the newest first, and compares with the one before', () => {
    expect(model.versions.map(({ version }) => version)).toEqual([3, 2, 1]);
    expect(model.listed?.version).toBe(2);
    expect(model.other).toBe(1);
  });

  it('asks for the lineage and a comparison only when they are shown', async () => {
    expect(server.count('GET /lineage')).toBe(0);
    model.show('lineage');
    await vi.waitFor(() => {
      expect(model.lineage).not.toBeNull();
    });
    expect(server.last('GET /lineage').query.node).toBe(
      'version:late-flights/2'
    );
    model.compareWith(3);
    await vi.waitFor(() => {
      expect(model.comparison).not.toBeNull();
    });
    expect(server.last(`GET ${ROOT}/comparison`).query.versions).toBe('3,2');
    expect(model.state).toEqual({ part: 'comparison', other: 3 });
  });

  it('shows another version, of which it knows nothing at first', async () => {
    model.switchTo(3);
    expect(model.card).toBeNull();
    await vi.waitFor(() => {
      expect(model.card?.complete).toBe(3);
    });
    expect(model.other).toBe(2);
  });

  it('asks again when the version has changed', async () => {
    server.on(
      'GET /models',
      [1, 2].map(version => aModel({ version, aliases: ['champion'] }))
    );
    const asked = server.count(`GET ${ROOT}/versions/2`);
    await store.refresh();
    await vi.waitFor(() => {
      expect(server.count(`GET ${ROOT}/versions/2`)).toBe(asked + 1);
    });
    model.switchTo(3);
    expect(model.isGone).toBe(true);
  });

  it('says why a card cannot be shown until it can', async () => {
    const answer = refusal(404, 'not_found', 'It has no card.');
    server.on(`GET ${ROOT}/versions/1`, answer);
    model.switchTo(1);
    await vi.waitFor(() => {
      expect(model.problem).toBe('It has no card.');
    });
    server.on(`GET ${ROOT}/versions/1`, card(1));
    model.retry();
    await vi.waitFor(() => {
      expect(model.card?.complete).toBe(1);
    });
    expect(model.problem).toBeNull();
  });

  it('knows which of its columns are features of the catalog', async () => {
    expect(model.ingredients.size).toBe(0);
    const tags = {
      'mlops.ingredients': '[["flights.delay", "v1"], ["flights.wind", null]]'
    };
    server.on('GET /models', [aModel({ version: 2, tags })]);
    await store.refresh();
    await vi.waitFor(() => {
      expect([...model.ingredients]).toEqual(['flights.delay', 'flights.wind']);
    });
    const broken = { 'mlops.ingredients': '[["flights.de' };
    server.on('GET /models', [aModel({ version: 2, tags: broken })]);
    await store.refresh();
    await vi.waitFor(() => {
      expect(model.ingredients.size).toBe(0);
    });
  });

  it('gives the store back once', () => {
    model.dispose();
    model.dispose();
    expect(dispose).toHaveBeenCalledOnce();
  });
});

describe('the state of a tab', () => {
  it('is read as far as it is understood', () => {
    expect(readState({ part: 'lineage', other: 3 })).toEqual({
      part: 'lineage',
      other: 3
    });
    expect(readState({ part: 'nothing', other: 'x' })).toEqual(NO_STATE);
    expect(readState(null)).toEqual(NO_STATE);
  });
});
