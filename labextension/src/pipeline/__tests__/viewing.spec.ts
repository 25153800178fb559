import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aPipeline, aStage, aStageDetail } from '../../__tests__/stages';
import { aStore } from '../../__tests__/stores';
import { CommandIDs, NO_ARGUMENTS } from '../../commands';
import type { ProjectStore } from '../../projects/store';
import { Targets } from '../../targets';
import { NO_STATE } from '../state';
import { PipelineTabModel } from '../tabmodel';
import { addViewingCommands } from '../viewing';

describe('the commands that show stages', () => {
  let store: ProjectStore;
  let watch: IDisposable;
  let model: PipelineTabModel;
  let commands: CommandRegistry;
  let targets: Targets;
  let isInFront: boolean;
  const openRun = vi.fn();
  const opener = {
    openOutput: vi.fn(() => Promise.resolve()),
    openWritten: vi.fn(() => Promise.resolve()),
    openSource: vi.fn(),
    openFile: vi.fn()
  };

  /** Open the menu of these stages. */
  const point = (...names: readonly string[]): void => {
    const stages = names.map(name => store.pipeline.stage(name) ?? aStage());
    targets.point({ kind: 'stage', store, name: names[0] ?? '', stages });
  };

  beforeEach(async () => {
    vi.clearAllMocks();
    isInFront = true;
    const report = aStage({
      name: 'report',
      notebook: 'report.ipynb',
      run_id: 'r1',
      file: 'sub/dvc.yaml'
    });
    const server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /events', [])
      .on(
        'GET /pipeline',
        aPipeline({ stages: [...aPipeline().stages, report] })
      )
      .on('GET /pipeline/stage', aStageDetail());
    store = aStore(server, { isWanted: () => false });
    watch = store.pipeline.watch();
    model = new PipelineTabModel({
      lease: { store, isDisposed: false, dispose: () => undefined },
      state: NO_STATE,
      measure: text => text.length,
      isShown: () => true
    });
    await vi.waitFor(() => {
      expect(model.layout?.width).toBeGreaterThan(0);
    });
    commands = new CommandRegistry();
    commands.addCommand(CommandIDs.openRun, {
      describedBy: NO_ARGUMENTS,
      execute: openRun
    });
    targets = new Targets();
    addViewingCommands({
      commands,
      targets,
      opener,
      projects: { current: store },
      inFront: () => (isInFront ? { model } : null),
      open: () => Promise.resolve({ model }),
      trans: nullTranslator.load('jupyter_mlops')
    });
  });
  afterEach(() => {
    model.dispose();
    watch.dispose();
    store.dispose();
  });

  it('open the sheet of a stage or a group', async () => {
    point('prepare');
    await commands.execute(CommandIDs.openStage);
    expect(model.selected).toBe('prepare');
    point('train@a', 'train@b');
    await commands.execute(CommandIDs.openStage);
    expect(model.selected).toBe('dvc.yaml:train');
  });

  it('go to why a stage will run', async () => {
    point('compare');
    await commands.execute(CommandIDs.explainStage);
    expect(model.selected).toBe('compare');
    expect(model.sheet.takeExplained()).toBe(true);
    expect(model.sheet.takeExplained()).toBe(false);
  });

  it('open the run, the notebook and the file of a stage', async () => {
    point('report');
    expect(commands.isVisible(CommandIDs.openStageRun)).toBe(true);
    await commands.execute(CommandIDs.openStageRun);
    expect(openRun).toHaveBeenCalledWith({ project: 'flights', run: 'r1' });
    await commands.execute(CommandIDs.openStageNotebook);
    expect(opener.openFile).toHaveBeenLastCalledWith(PROJECT, 'report.ipynb');
    await commands.execute(CommandIDs.openStageFile);
    expect(opener.openFile).toHaveBeenLastCalledWith(PROJECT, 'sub/dvc.yaml');
    point('prepare');
    expect(commands.isVisible(CommandIDs.openStageRun)).toBe(false);
    expect(commands.isVisible(CommandIDs.openStageNotebook)).toBe(false);
  });

  it('unfold and fold the group of a stage', async () => {
    point('train@a');
    expect(commands.label(CommandIDs.foldGroup)).toBe('Show Group One by One');
    await commands.execute(CommandIDs.foldGroup);
    expect(model.isUnfolded('dvc.yaml:train')).toBe(true);
    expect(commands.label(CommandIDs.foldGroup)).toBe('Show Group as One');
    point('prepare');
    expect(commands.isVisible(CommandIDs.foldGroup)).toBe(false);
  });

  it('zoom the graph, show the list, and do neither elsewhere', async () => {
    model.resize(400, 300);
    const { scale } = model.viewport.zoom;
    await commands.execute(CommandIDs.zoomIn);
    expect(model.viewport.zoom.scale).toBeGreaterThan(scale);
    await commands.execute(CommandIDs.zoomToFit);
    expect(model.viewport.zoom.scale).toBeCloseTo(scale);
    await commands.execute(CommandIDs.toggleList);
    expect(model.view).toBe('list');
    expect(commands.isToggled(CommandIDs.toggleList)).toBe(true);
    expect(commands.isEnabled(CommandIDs.zoomToFit)).toBe(false);
    isInFront = false;
    expect(commands.isEnabled(CommandIDs.toggleList)).toBe(false);
  });
});
