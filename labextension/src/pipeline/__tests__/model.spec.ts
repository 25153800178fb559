import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aPipeline, someStages } from '../../__tests__/stages';
import { someStores } from '../../__tests__/stores';
import { ProjectsModel } from '../../projects/model';
import type { Stores } from '../../projects/stores';
import { PipelineModel } from '../model';

describe('PipelineModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let projects: ProjectsModel;
  let model: PipelineModel;

  beforeEach(async () => {
    server = new FakeServer()
      .on('GET /project', PROJECT)
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /events', [])
      .on('GET /pipeline', aPipeline());
    stores = someStores(server);
    projects = new ProjectsModel(server.client, stores);
    model = new PipelineModel(projects);
    await projects.want(true);
    await projects.follow('train.ipynb', false);
    await vi.waitFor(() => {
      expect(projects.current?.isLoaded).toBe(true);
    });
  });
  afterEach(() => {
    model.dispose();
    projects.dispose();
    stores.dispose();
  });

  const loaded = (): Promise<void> =>
    vi.waitFor(() => {
      expect(model.pipeline?.isLoaded).toBe(true);
    });

  it('asks DVC only when the section is open', async () => {
    expect(server.count('GET /pipeline')).toBe(0);
    model.want(true);
    await loaded();
    expect(model.rows(null)).toHaveLength(4);
    model.want(false);
    expect(model.pipeline?.isWatched).toBe(false);
  });

  it('goes to the pipeline of the project that is shown', async () => {
    model.want(true);
    await loaded();
    const before = model.pipeline;
    projects.show({ ...PROJECT, id: 'p2', path: 'other' });
    expect(model.pipeline).not.toBe(before);
    expect(before?.isWatched).toBe(false);
    await loaded();
    expect(server.last('GET /pipeline').query).toMatchObject({
      project: 'other'
    });
  });

  it('folds groups, and leaves the order alone while the pointer is there', async () => {
    model.want(true);
    await loaded();
    model.fold('dvc.yaml:train', true);
    expect(model.rows(null)).toHaveLength(3);
    const stages = someStages().map(stage =>
      stage.name === 'compare' ? { ...stage, state: 'failed' as const } : stage
    );
    server.on('GET /pipeline', aPipeline({ stages }));
    await model.pipeline?.refresh();
    expect(model.rows(new Set())[0]?.key).toBe('prepare');
    expect(model.rows(null)[0]?.key).toBe('compare');
  });
});
