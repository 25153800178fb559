import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { anEvent, aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import {
  aPipeline,
  aPipelineRun,
  aStageDetail,
  someStages
} from '../../__tests__/stages';
import { someStores } from '../../__tests__/stores';
import type { Stores } from '../../projects/stores';
import type { IPipelineState } from '../state';
import { NO_STATE } from '../state';
import { PipelineTabModel } from '../tabmodel';

const GROUP = 'dvc.yaml:train';

describe('PipelineTabModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let model: PipelineTabModel;

  const open = async (state: Partial<IPipelineState> = {}): Promise<void> => {
    model = new PipelineTabModel({
      lease: stores.acquire(PROJECT),
      state: { ...NO_STATE, ...state },
      measure: text => text.length * 7,
      isShown: () => true
    });
    await vi.waitFor(() => {
      expect(model.layout).not.toBeNull();
      expect(Object.keys(model.layout?.nodes ?? {})).toEqual(
        model.diagram.shape.keys
      );
      expect(model.diagram.nodes.length).toBeGreaterThan(0);
    });
  };
  const settled = (): Promise<void> =>
    vi.waitFor(() => {
      expect(Object.keys(model.layout?.nodes ?? {}).sort()).toEqual(
        [...model.diagram.shape.keys].sort()
      );
    });

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /events', [])
      .on('GET /pipeline', aPipeline({ last: aPipelineRun() }))
      .on('GET /pipeline/runs/p1', {
        run: aPipelineRun(),
        stages: someStages()
      })
      .on('GET /pipeline/stage', aStageDetail());
    stores = someStores(server, { isWanted: () => false });
  });
  afterEach(() => {
    model.dispose();
    stores.dispose();
  });

  it('draws the pipeline with its matrix folded', async () => {
    await open();
    expect(model.diagram.shape.keys).toEqual(['prepare', GROUP, 'compare']);
    expect(model.rows(null).map(row => row.key)).toEqual([
      'prepare',
      GROUP,
      'compare'
    ]);
  });

  it('unfolds what was unfolded, where it was', async () => {
    await open();
    model.resize(800, 600);
    const { x, y, scale } = model.viewport.zoom;
    const before = model.layout?.nodes[GROUP];
    model.fold(GROUP, false);
    await settled();
    const after = model.layout?.frames[GROUP];
    const moved = model.viewport.zoom;
    expect(moved.x + (after?.x ?? 0) * scale).toBeCloseTo(
      x + (before?.x ?? 0) * scale
    );
    expect(moved.y + (after?.y ?? 0) * scale).toBeCloseTo(
      y + (before?.y ?? 0) * scale
    );
    expect(model.isUnfolded(GROUP)).toBe(true);
    model.fold('nothing', false);
    expect(model.state.unfolded).toEqual([GROUP]);
  });

  it('is laid out again only if its shape has changed', async () => {
    await open();
    const { layout } = model;
    const data = { pipeline: 'p1', stages: { 'train@a': 'running' } };
    model.pipeline.add([anEvent({ kind: 'pipeline', data })]);
    await vi.waitFor(() => {
      expect(model.diagram.nodes[1]?.stages[0]?.state).toBe('running');
    });
    expect(model.layout).toBe(layout);
    const stages = someStages().slice(0, 2);
    server.on('GET /pipeline', aPipeline({ stages }));
    await model.pipeline.refresh();
    await settled();
    expect(model.layout).not.toBe(layout);
  });

  it('comes back as it was left', async () => {
    const state: IPipelineState = {
      view: 'list',
      unfolded: [GROUP],
      selected: 'prepare',
      zoom: { scale: 0.5, x: 10, y: 20 }
    };
    await open(state);
    model.resize(800, 600);
    expect(model.state).toEqual(state);
    const changed = vi.fn();
    model.stateChanged.connect(changed);
    model.view = 'graph';
    model.select(null);
    model.viewport.pan(1, 1);
    expect(changed).toHaveBeenCalledTimes(3);
    expect(model.state).toEqual({
      view: 'graph',
      unfolded: [GROUP],
      selected: null,
      zoom: { scale: 0.5, x: 11, y: 21 }
    });
  });

  it('fits what nobody has zoomed', async () => {
    await open();
    expect(model.state.zoom).toBeNull();
    model.resize(800, 600);
    expect(model.viewport.zoom.scale).toBe(1);
    expect(model.state.zoom).toBeNull();
    model.viewport.fit(true);
    expect(model.state.zoom).not.toBeNull();
  });

  it('asks about the stage whose sheet is open, again when it has changed', async () => {
    await open();
    expect(server.count('GET /pipeline/stage')).toBe(0);
    model.select('prepare');
    expect(model.sheet.detail).toBeNull();
    await vi.waitFor(() => {
      expect(model.sheet.detail?.command).toEqual(['python prepare.py']);
    });
    expect(server.last('GET /pipeline/stage').query).toMatchObject({
      project: 'flights',
      name: 'prepare'
    });
    const asked = server.count('GET /pipeline/stage');
    const data = { pipeline: 'p1', stages: { prepare: 'failed' } };
    model.pipeline.add([anEvent({ kind: 'pipeline', data })]);
    await vi.waitFor(() => {
      expect(server.count('GET /pipeline/stage')).toBe(asked + 1);
    });
  });

  it('shows the stages of a group, and asks about none', async () => {
    await open({ selected: GROUP });
    expect(model.sheet.stages.map(stage => stage.name)).toEqual([
      'train@a',
      'train@b'
    ]);
    expect(server.count('GET /pipeline/stage')).toBe(0);
  });
});
