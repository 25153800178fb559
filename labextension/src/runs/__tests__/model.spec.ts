import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer } from '../../__tests__/server';
import { aRun, aStatus, aSweep, PROJECT } from '../../__tests__/samples';
import { someStores } from '../../__tests__/stores';
import { ProjectsModel } from '../../projects/model';
import type { Stores } from '../../projects/stores';
import { RunsModel } from '../model';

describe('RunsModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let model: RunsModel;

  beforeEach(async () => {
    const done = aSweep({ id: 's2', status: 'succeeded' });
    server = new FakeServer()
      .on('GET /project', PROJECT)
      .on('GET /status', aStatus())
      .on('GET /sweeps', [aSweep(), done])
      .on('GET /sweeps/s1', aSweep())
      .on('GET /sweeps/s2', done)
      .on('GET /models', [])
      .on('GET /runs', ({ query }: { query: { sweep: string } }) => [
        aRun({ id: `${query.sweep}-1`, sweep_id: query.sweep })
      ]);
    stores = someStores(server);
    const projects = new ProjectsModel(server.client, stores);
    model = new RunsModel(projects);
    await projects.want(true);
    await projects.follow('train.ipynb', false);
    await vi.waitFor(() => {
      expect(model.store?.isLoaded).toBe(true);
    });
  });
  afterEach(() => {
    model.dispose();
    stores.dispose();
  });
  const keys = (): string[] => model.rows(null).map(row => row.key);

  it('expands what is under way, and folds what was done before', async () => {
    await vi.waitFor(() => {
      expect(keys()).toEqual(['s1', 's1-1', 's2']);
    });
  });

  it('keeps a sweep expanded when it ends', () => {
    model.store?.put(aSweep({ status: 'succeeded' }));
    expect(model.isExpanded('s1')).toBe(true);
  });

  it('remembers what was folded and expanded by hand', async () => {
    model.expand('s1', false);
    model.expand('s2', true);
    await vi.waitFor(() => {
      expect(keys()).toEqual(['s1', 's2', 's2-1']);
    });
  });

  it('fetches the runs of expanded sweeps only', async () => {
    await vi.waitFor(() => {
      expect(server.count('GET /runs')).toBeGreaterThan(0);
    });
    const asked = server.asked
      .filter(each => each.path === '/runs')
      .map(each => each.query.sweep);
    expect(new Set(asked)).toEqual(new Set(['s1']));
  });

  it('reveals a new sweep once, free of the filter', () => {
    model.filter = 'nothing like it';
    model.reveal('s2');
    expect(model.filter).toBe('');
    expect(model.takeRevealed()).toBe('s2');
    expect(model.takeRevealed()).toBeNull();
  });

  it('forgets the filter when its field is closed', () => {
    model.isFiltering = true;
    model.filter = 'failed';
    model.isFiltering = false;
    expect(model.filter).toBe('');
  });
});
