import type { IDisposable } from '@lumino/disposable';
import type { MockInstance } from 'vitest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { anEvent, PROJECT } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import {
  aPipeline,
  aPipelineRun,
  aStage,
  someStages
} from '../../__tests__/stages';
import type { EventView, StageState } from '../../api/types';
import { PipelineStore } from '../pipeline';

describe('PipelineStore', () => {
  let server: FakeServer;
  let store: PipelineStore;
  let watch: IDisposable;
  let isHidden: boolean;
  let hidden: MockInstance<() => boolean>;

  const loaded = (): Promise<void> =>
    vi.waitFor(() => {
      expect(store.isLoaded).toBe(true);
    });
  const states = (): Record<string, string> =>
    Object.fromEntries(store.stages.map(({ name, state }) => [name, state]));
  const change = (
    stages: Record<string, StageState>,
    given: Partial<EventView> = {}
  ): void => {
    const data = { pipeline: 'p1', stages };
    store.add([
      anEvent({
        kind: 'pipeline',
        sweep_id: null,
        run_id: null,
        data,
        ...given
      })
    ]);
  };
  const save = (path: string): void => {
    server.files.emit({
      type: 'save',
      oldValue: null,
      newValue: { path }
    });
  };

  beforeEach(() => {
    isHidden = false;
    hidden = vi.spyOn(document, 'hidden', 'get');
    hidden.mockImplementation(() => isHidden);
    server = new FakeServer()
      .on('GET /pipeline', aPipeline())
      .on('GET /pipeline/runs/p1', {
        run: aPipelineRun(),
        stages: someStages()
      });
    const { client, files } = server;
    store = new PipelineStore({ project: PROJECT, client, files });
  });
  afterEach(() => {
    watch.dispose();
    store.dispose();
    hidden.mockRestore();
  });

  it('asks for the stages as soon as somebody looks', async () => {
    watch = store.watch();
    await loaded();
    expect(server.last('GET /pipeline').query).toMatchObject({
      project: 'flights'
    });
    expect(states()).toMatchObject({ prepare: 'fresh', 'train@a': 'stale' });
    expect(store.exists).toBe(true);
  });

  it('asks nothing while nobody looks, and makes up for it', async () => {
    watch = store.watch();
    await loaded();
    watch.dispose();
    server.asked.length = 0;
    save('flights/dvc.yaml');
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(server.asked).toEqual([]);
    watch = store.watch();
    await vi.waitFor(() => {
      expect(server.count('GET /pipeline')).toBe(1);
    });
  });

  it('takes states from events, and touches no other stage', async () => {
    server.on('GET /pipeline', aPipeline({ last: aPipelineRun() }));
    watch = store.watch();
    await loaded();
    const [prepare, before] = store.stages;
    const graph = store.graph;
    server.asked.length = 0;
    change({ 'train@a': 'running' });
    expect(states()['train@a']).toBe('running');
    expect(server.asked).toEqual([]);
    expect(store.stages[0]).toBe(prepare);
    expect(store.stages[1]).not.toBe(before);
    expect(store.stages[1]?.started_at).toBe(anEvent().time);
    expect(store.graph).toBe(graph);
  });

  it('fetches no more often for 300 events than for one', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `s${index}`);
    const stages = names.map(name => aStage({ name, state: 'queued' }));
    const last = aPipelineRun({ total: 300 });
    server
      .on('GET /pipeline', aPipeline({ stages, last }))
      .on('GET /pipeline/runs/p1', { run: last, stages });
    watch = store.watch();
    await loaded();
    server.asked.length = 0;
    const changed = vi.fn();
    store.changed.connect(changed);
    names.forEach(name => change({ [name]: 'running' }));
    names.forEach(name => change({ [name]: 'succeeded' }));
    expect(store.progress).toMatchObject({ total: 300, done: 300 });
    await vi.waitFor(() => {
      expect(changed).toHaveBeenCalled();
    });
    expect(changed.mock.calls.length).toBeLessThanOrEqual(2);
    expect(server.asked.length).toBeLessThanOrEqual(1);
    expect(server.count('GET /pipeline')).toBe(0);
  });

  it('looks into a run that it hears of, and asks DVC when it ends', async () => {
    watch = store.watch();
    await loaded();
    server.asked.length = 0;
    change({ 'train@a': 'running' }, { status: 'running' });
    await vi.waitFor(() => {
      expect(store.isActive).toBe(true);
    });
    expect(server.count('GET /pipeline')).toBe(0);
    change({ 'train@a': 'succeeded' }, { status: 'succeeded' });
    expect(store.isActive).toBe(false);
    await vi.waitFor(() => {
      expect(server.count('GET /pipeline')).toBe(1);
    });
  });

  it('asks DVC too when a run has ended before it is known', async () => {
    server.on('GET /pipeline/runs/p1', {
      run: aPipelineRun({ status: 'failed' }),
      stages: someStages()
    });
    watch = store.watch();
    await loaded();
    server.asked.length = 0;
    change({ 'train@a': 'failed' }, { status: 'failed' });
    store.put(aPipelineRun({ status: 'queued' }));
    await vi.waitFor(
      () => {
        expect(server.count('GET /pipeline')).toBe(1);
      },
      { timeout: 3000 }
    );
  });

  it('does not forget what happens while it is asking', async () => {
    server.on('GET /pipeline', aPipeline({ last: aPipelineRun() }));
    watch = store.watch();
    await loaded();
    let answer: (view: unknown) => void = () => undefined;
    server.on(
      'GET /pipeline',
      () => new Promise(resolve => (answer = resolve))
    );
    const refreshed = store.refresh();
    await vi.waitFor(() => {
      expect(server.count('GET /pipeline')).toBe(2);
    });
    change({ 'train@b': 'failed' });
    answer(aPipeline({ last: aPipelineRun() }));
    await refreshed;
    expect(states()['train@b']).toBe('failed');
  });

  it('follows the cells of a running notebook', async () => {
    const stages = [aStage({ state: 'running', run_id: 'r1' })];
    server.on('GET /pipeline', aPipeline({ stages }));
    watch = store.watch();
    await loaded();
    const data = { cell: 3, cells: 7 };
    store.add([anEvent({ run_id: 'r1', data })]);
    expect(store.stage('prepare')).toMatchObject(data);
  });

  it('keeps the objects of what has not changed', async () => {
    watch = store.watch();
    await loaded();
    const before = store.stages;
    await store.refresh();
    expect(store.stages).toBe(before);
    const [first, ...rest] = someStages();
    const stages = [aStage({ ...first, state: 'stale' }), ...rest];
    server.on('GET /pipeline', aPipeline({ stages }));
    await store.refresh();
    expect(store.stages[0]).not.toBe(before[0]);
    expect(store.stages[3]).toBe(before[3]);
  });

  it('asks at once when dvc.yaml was saved, and not for other projects', async () => {
    watch = store.watch();
    await loaded();
    server.asked.length = 0;
    save('other/dvc.yaml');
    save('flights/runs/x.ipynb');
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(server.asked).toEqual([]);
    save('RTC:flights/dvc.yaml');
    await vi.waitFor(() => {
      expect(server.count('GET /pipeline')).toBe(1);
    });
  });

  it('asks again when the user comes back, but not too often', async () => {
    watch = store.watch();
    await loaded();
    server.asked.length = 0;
    window.dispatchEvent(new Event('focus'));
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(server.asked).toEqual([]);
    isHidden = true;
    save('flights/dvc.yaml');
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(server.asked).toEqual([]);
    isHidden = false;
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.waitFor(() => {
      expect(server.count('GET /pipeline')).toBe(1);
    });
  });

  it('tells what is wrong, since when, and keeps what it knew', async () => {
    watch = store.watch();
    await loaded();
    const problem = 'dvc.yaml:3: cmd is missing';
    server.on('GET /pipeline', aPipeline({ stages: [], problem }));
    await store.refresh();
    expect(store.problem?.message).toBe(problem);
    const { since } = store.problem ?? {};
    expect(store.stages).toHaveLength(4);
    server.on('GET /pipeline', refusal(500, 'failed', 'It broke.'));
    await store.refresh();
    expect(store.problem).toEqual({ message: 'It broke.', since });
    server.on('GET /pipeline', aPipeline());
    await store.refresh();
    expect(store.problem).toBeNull();
  });
});
