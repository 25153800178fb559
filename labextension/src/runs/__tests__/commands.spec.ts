import { Dialog, Notification } from '@jupyterlab/apputils';
import type { Event } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Stream } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aRun, aStatus, aSweep, PROJECT } from '../../__tests__/samples';
import type { RunView, SweepView } from '../../api/types';
import { CommandIDs } from '../../commands';
import { ProjectStore } from '../../projects/store';
import { Targets } from '../../targets';
import { addRunCommands } from '../commands';
import { rowHandlers } from '../handlers';

const FAILED = aRun({ status: 'failed', output: 'runs/a.ipynb' });

describe('the commands of runs', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let commands: CommandRegistry;
  let targets: Targets;
  const opener = {
    openOutput: vi.fn(() => Promise.resolve()),
    openSource: vi.fn()
  };

  const pointAtRun = (run: RunView): void => {
    store.put(aSweep());
    targets.point({ kind: 'run', store, sweep: aSweep(), run });
  };
  const focusSweep = (sweep: SweepView): void => {
    store.put(sweep);
    targets.focus({ kind: 'sweep', store, sweep });
  };
  /** Wait for a question and answer it. */
  const answer = async (button: 'accept' | 'reject'): Promise<string> => {
    const dialog = await vi.waitFor(() => {
      const found = Dialog.tracker.currentWidget;
      expect(found?.isAttached).toBe(true);
      return found;
    });
    const text = dialog?.node.textContent ?? '';
    dialog?.node
      .querySelector<HTMLElement>(
        button === 'accept' ? '.jp-mod-warn' : '.jp-mod-reject'
      )
      ?.click();
    return text;
  };

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /sweeps/s1', aSweep())
      .on('POST /runs/s1-1/cancel', aRun())
      .on('POST /runs/s1-1/retry', aRun())
      .on('DELETE /runs/s1-1', {})
      .on('POST /sweeps/s1/cancel', aSweep())
      .on('DELETE /sweeps/s1', {});
    store = new ProjectStore({
      project: PROJECT,
      client: server.client,
      stream: new Stream<Event.IManager, Event.Emission>({} as Event.IManager),
      interval: 60_000,
      isWanted: () => false
    });
    commands = new CommandRegistry();
    targets = new Targets();
    const trans = nullTranslator.load('jupyter_mlops');
    addRunCommands({ commands, targets, opener, trans });
    vi.clearAllMocks();
  });
  afterEach(() => {
    store.dispose();
  });

  it('act on nothing that their arguments name', async () => {
    const args = { run: 's1-1', sweep: 's1', project: 'flights' };
    await commands.execute(CommandIDs.deleteRun, args);
    await commands.execute(CommandIDs.cancelSweep, args);
    expect(server.asked).toEqual([]);
  });

  it('cancel at once from a row’s own menu', async () => {
    pointAtRun(aRun());
    await commands.execute(CommandIDs.cancelRun);
    expect(server.count('POST /runs/s1-1/cancel')).toBe(1);
  });

  it('ask first when they come from elsewhere', async () => {
    pointAtRun(FAILED);
    targets.release();
    const done = commands.execute(CommandIDs.retryRun);
    expect(await answer('reject')).toContain('Run run 1 of train.ipynb');
    await done;
    expect(server.count('POST /runs/s1-1/retry')).toBe(0);
  });

  it('delete only after a question', async () => {
    pointAtRun(FAILED);
    const done = commands.execute(CommandIDs.deleteRun);
    await answer('accept');
    await done;
    expect(server.count('DELETE /runs/s1-1')).toBe(1);
  });

  it('cancel a sweep only after a question that counts', async () => {
    const counts = { ...aSweep().counts, queued: 9, running: 3 };
    focusSweep(aSweep({ counts }));
    const done = commands.execute(CommandIDs.cancelSweep);
    expect(await answer('accept')).toContain('Cancel 12 runs of train.ipynb?');
    await done;
    expect(server.count('POST /sweeps/s1/cancel')).toBe(1);
  });

  it('are offered only where they are possible', () => {
    pointAtRun(FAILED);
    const isOffered = (id: string): boolean => commands.isVisible(id);
    expect(isOffered(CommandIDs.retryRun)).toBe(true);
    expect(isOffered(CommandIDs.deleteRun)).toBe(true);
    expect(isOffered(CommandIDs.openOutput)).toBe(true);
    expect(isOffered(CommandIDs.cancelRun)).toBe(false);
    expect(isOffered(CommandIDs.deleteSweep)).toBe(false);
    focusSweep(aSweep());
    targets.release();
    expect(isOffered(CommandIDs.retryRun)).toBe(false);
    expect(isOffered(CommandIDs.cancelSweep)).toBe(true);
    expect(isOffered(CommandIDs.deleteSweep)).toBe(false);
  });

  it('say what the server refuses', async () => {
    const refused = vi.spyOn(Notification, 'error').mockReturnValue('id');
    server.on(
      'POST /runs/s1-1/cancel',
      refusal(409, 'conflict', 'It has ended.')
    );
    pointAtRun(aRun());
    await commands.execute(CommandIDs.cancelRun);
    expect(refused.mock.calls[0]?.[0]).toBe('It has ended.');
  });

  it('open what a run has written', async () => {
    pointAtRun(FAILED);
    await commands.execute(CommandIDs.openOutput);
    expect(opener.openOutput).toHaveBeenCalledWith(PROJECT, FAILED);
  });
});

describe('the rows', () => {
  it('open a sweep’s tab, or what a run has written', () => {
    const commands = new CommandRegistry();
    const executed: string[] = [];
    Object.values(CommandIDs).forEach(id =>
      commands.addCommand(id, { execute: () => executed.push(id) })
    );
    const store = { runs: () => [FAILED] } as unknown as ProjectStore;
    const handlers = rowHandlers(commands, new Targets());
    const sweep = aSweep();
    handlers.open({ kind: 'sweep', store, sweep });
    handlers.open({ kind: 'run', store, sweep, run: FAILED });
    handlers.open({ kind: 'run', store, sweep, run: aRun() });
    handlers.open({ kind: 'sweep', store, sweep: aSweep({ kind: 'run' }) });
    expect(executed).toEqual([
      CommandIDs.openSweep,
      CommandIDs.openOutput,
      CommandIDs.openSweep,
      CommandIDs.openOutput
    ]);
  });
});
