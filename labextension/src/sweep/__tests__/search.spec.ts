import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aRun, aStatus } from '../../__tests__/samples';
import { aStore } from '../../__tests__/stores';
import type { ProjectStore } from '../../projects/store';
import { RunSearch, suggest } from '../search';

const FIELDS = {
  facts: ['status', 'duration'],
  parameters: ['depth'],
  metrics: ['auc', 'val loss']
};

describe('RunSearch', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let search: RunSearch;

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /search/fields', FIELDS)
      .on('GET /search/runs', {
        runs: [aRun({ id: 's1-2' })],
        total: 1,
        offset: 0,
        notes: ['No recent run has a metric acu.']
      });
    store = aStore(server);
    search = new RunSearch(store, 's1', '');
  });
  afterEach(() => {
    search.dispose();
    store.dispose();
  });

  it('finds all runs until something is typed, and then asks the server', async () => {
    expect(search.found).toBeNull();
    search.text = 'metrics.a';
    search.text = ' metrics.auc > 0.7 ';
    await vi.waitFor(() => {
      expect([...(search.found ?? [])]).toEqual(['s1-2']);
    });
    expect(server.count('GET /search/runs')).toBe(1);
    expect(server.last('GET /search/runs').query).toMatchObject({
      sweep: 's1',
      where: 'metrics.auc > 0.7'
    });
    expect(search.notes).toEqual(['No recent run has a metric acu.']);
    search.text = '';
    expect([search.found, search.notes]).toEqual([null, []]);
  });

  it('says what is wrong, and keeps what it has found', async () => {
    search.text = 'metrics.auc > 0.7';
    await vi.waitFor(() => {
      expect(search.found?.size).toBe(1);
    });
    const message = 'where, at the end: expected a value.';
    server.on('GET /search/runs', refusal(400, 'invalid', message, 'where'));
    search.text = 'metrics.auc >';
    await vi.waitFor(() => {
      expect(search.problem).toBe('At the end: expected a value.');
    });
    expect(search.found?.size).toBe(1);
  });

  it('searches again when the runs have changed', async () => {
    search.notice([]);
    expect(server.count('GET /search/runs')).toBe(0);
    search.text = 'status = failed';
    await vi.waitFor(() => {
      expect(server.count('GET /search/runs')).toBe(1);
    });
    for (let count = 0; count < 5; count++) {
      search.notice([aRun()]);
    }
    await vi.waitFor(
      () => {
        expect(server.count('GET /search/runs')).toBe(2);
      },
      { timeout: 4000 }
    );
  });

  it('searches what a tab remembers', async () => {
    const restored = new RunSearch(store, 's1', 'metrics.auc > 0.7');
    await vi.waitFor(() => {
      expect(restored.found?.size).toBe(1);
    });
    restored.dispose();
  });

  it('offers fields once it has learned them', async () => {
    expect(search.suggestions).toEqual([]);
    await search.learn();
    await search.learn();
    expect(server.count('GET /search/fields')).toBe(1);
    expect(search.suggestions).toContain('params.depth');
  });
});

describe('suggestions', () => {
  it('complete the last word, with quotes where a name needs them', () => {
    expect(suggest('', FIELDS)).toEqual([
      'metrics.auc',
      'metrics."val loss"',
      'params.depth',
      'status',
      'duration'
    ]);
    expect(suggest('metrics.auc > 0.7 and dep', FIELDS)).toEqual([
      'metrics.auc > 0.7 and params.depth'
    ]);
    expect(suggest('status', FIELDS)).toEqual([]);
  });
});
