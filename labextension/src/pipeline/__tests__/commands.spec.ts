import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aStatus } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aPipeline, aPipelineRun, aStage } from '../../__tests__/stages';
import { aStore } from '../../__tests__/stores';
import { CommandIDs } from '../../commands';
import type { ProjectStore } from '../../projects/store';
import { Targets } from '../../targets';
import { addPipelineCommands } from '../commands';

describe('the commands of stages', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let watch: IDisposable;
  let commands: CommandRegistry;
  let targets: Targets;

  /** Open the menu of these stages. */
  const point = (...names: readonly string[]): void => {
    const stages = names.map(name => store.pipeline.stage(name) ?? aStage());
    targets.point({ kind: 'stage', store, name: names[0] ?? '', stages });
  };
  /** Wait for a question, look at it and answer it. */
  const answer = async (button: 'accept' | 'reject'): Promise<string> => {
    const dialog = await vi.waitFor(() => {
      const found = Dialog.tracker.currentWidget;
      expect(found?.isAttached).toBe(true);
      return found;
    });
    const text = dialog?.node.textContent ?? '';
    const selector =
      button === 'accept'
        ? '.jp-Dialog-button.jp-mod-accept, .jp-mod-warn'
        : '.jp-mod-reject';
    dialog?.node.querySelector<HTMLElement>(selector)?.click();
    return text;
  };
  const requested = (): unknown => server.last('POST /pipeline/runs').body;

  beforeEach(async () => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /events', [])
      .on('GET /pipeline', aPipeline())
      .on('GET /pipeline/runs/p1', { run: aPipelineRun(), stages: [] })
      .on('POST /pipeline/runs', aPipelineRun())
      .on('POST /pipeline/runs/p1/cancel', aPipelineRun());
    store = aStore(server, { isWanted: () => false });
    watch = store.pipeline.watch();
    await vi.waitFor(() => {
      expect(store.pipeline.isLoaded).toBe(true);
    });
    commands = new CommandRegistry();
    targets = new Targets();
    addPipelineCommands({
      commands,
      targets,
      projects: { current: store },
      inFront: () => null,
      trans: nullTranslator.load('jupyter_mlops')
    });
  });
  afterEach(() => {
    watch.dispose();
    store.dispose();
  });

  it('bring all up to date without a question', async () => {
    await commands.execute(CommandIDs.runStale);
    expect(requested()).toEqual({ all_pipelines: true });
    expect(store.pipeline.isActive).toBe(true);
    expect(commands.isEnabled(CommandIDs.runStale)).toBe(false);
    expect(commands.isVisible(CommandIDs.cancelPipeline)).toBe(true);
    await commands.execute(CommandIDs.cancelPipeline);
    expect(server.count('POST /pipeline/runs/p1/cancel')).toBe(1);
  });

  it('run the stage of a menu at once, alone or with what follows', async () => {
    point('train@a', 'train@b');
    await commands.execute(CommandIDs.runStage);
    expect(requested()).toEqual({ targets: ['train@a', 'train@b'] });
    store.pipeline.put(aPipelineRun({ status: 'succeeded' }));
    point('prepare');
    await commands.execute(CommandIDs.runFollowing);
    expect(requested()).toEqual({ targets: ['prepare'], downstream: true });
    store.pipeline.put(aPipelineRun({ status: 'succeeded' }));
    await commands.execute(CommandIDs.forceStage);
    expect(requested()).toEqual({
      targets: ['prepare'],
      force: true,
      single_item: true
    });
  });

  it('force what follows only after a question that counts', async () => {
    point('prepare');
    const refused = commands.execute(CommandIDs.forceFollowing);
    expect(await answer('reject')).toContain('Run 4 stages');
    await refused;
    expect(server.count('POST /pipeline/runs')).toBe(0);
    const agreed = commands.execute(CommandIDs.forceFollowing);
    await answer('accept');
    await agreed;
    expect(requested()).toEqual({
      targets: ['prepare'],
      force: true,
      downstream: true
    });
  });

  it('ask which stage is meant when they come from elsewhere', async () => {
    const label = commands.label(CommandIDs.runStage);
    expect(label).toBe('Run Stage…');
    point('compare');
    expect(commands.label(CommandIDs.runStage)).toBe('Run Stage');
    targets.release();
    const done = commands.execute(CommandIDs.runStage);
    expect(await answer('accept')).toContain('train (2)');
    await done;
    expect(requested()).toEqual({ targets: ['compare'] });
  });

  it('are not offered for data, nor where there is no pipeline', async () => {
    const data = aStage({ name: 'raw.dvc', kind: 'data' });
    server.on('GET /pipeline', aPipeline({ stages: [data] }));
    await store.pipeline.refresh();
    point('raw.dvc');
    expect(commands.isVisible(CommandIDs.runStage)).toBe(false);
    server.on('GET /pipeline', aPipeline({ stages: [], exists: false }));
    await store.pipeline.refresh();
    expect(commands.isEnabled(CommandIDs.runStale)).toBe(false);
  });

  it('act on nothing that their arguments name', async () => {
    const done = commands.execute(CommandIDs.forceStage, { stage: 'prepare' });
    await answer('reject');
    await done;
    expect(server.count('POST /pipeline/runs')).toBe(0);
  });
});
