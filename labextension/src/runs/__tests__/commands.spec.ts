import { Dialog, Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aRun, aStatus, aSweep, PROJECT } from '../../__tests__/samples';
import { aStore } from '../../__tests__/stores';
import type { RunView, SweepView } from '../../api/types';
import { CommandIDs } from '../../commands';
import type { ProjectStore } from '../../projects/store';
import { Targets } from '../../targets';
import { addRunCommands } from '../commands';
import { rowHandlers } from '../handlers';
import { addResumeCommands } from '../resuming';

const FAILED = aRun({ status: 'failed', output: 'runs/a.ipynb' });

describe('the commands of runs', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let commands: CommandRegistry;
  let targets: Targets;
  const opener = {
    openOutput: vi.fn(() => Promise.resolve()),
    openWritten: vi.fn(() => Promise.resolve()),
    openSource: vi.fn(),
    openFile: vi.fn()
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
    store = aStore(server, { isWanted: () => false });
    commands = new CommandRegistry();
    targets = new Targets();
    const trans = nullTranslator.load('jupyter_mlops');
    addRunCommands({ commands, targets, opener, trans });
    addResumeCommands({ commands, targets, opener, trans });
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

  it('go on from the failed cell once the user agrees', async () => {
    server
      .on('GET /runs/s1-1/resume', {
        run_id: 's1-1',
        notebook: 'train.ipynb',
        cell: 5,
        seconds: 12,
        changed: true
      })
      .on('POST /runs/s1-1/resume', aRun());
    pointAtRun(FAILED);
    const refused = commands.execute(CommandIDs.resumeRun);
    const question = await answer('reject');
    await refused;
    expect(question).toContain('4 cells before it are executed again');
    expect(question).toContain('That took 12 s.');
    expect(question).toContain('The notebook has changed since');
    expect(server.count('POST /runs/s1-1/resume')).toBe(0);
    const agreed = commands.execute(CommandIDs.resumeRun);
    await answer('accept');
    await agreed;
    expect(server.last('POST /runs/s1-1/resume').body).toEqual({
      agreed: true
    });
  });

  it('open a running run’s notebook as far as it has come', async () => {
    server.on('POST /runs/s1-1/notebook', {
      path: 'runs/a.ipynb',
      finished: false
    });
    pointAtRun(aRun());
    await commands.execute(CommandIDs.openPartial);
    expect(opener.openWritten).toHaveBeenCalledWith(PROJECT, 'runs/a.ipynb');
    pointAtRun(FAILED);
    expect(commands.isVisible(CommandIDs.openPartial)).toBe(false);
    expect(commands.isVisible(CommandIDs.resumeRun)).toBe(true);
  });

  it('open what a run has written', async () => {
    pointAtRun(FAILED);
    await commands.execute(CommandIDs.openOutput);
    expect(opener.openOutput).toHaveBeenCalledWith(PROJECT, FAILED);
  });
});

describe('the rows', () => {
  it('open the tab of a sweep or of a run', () => {
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
    handlers.open({ kind: 'sweep', store, sweep: aSweep({ kind: 'run' }) });
    handlers.open({ kind: 'sweep', store, sweep: aSweep({ kind: 'session' }) });
    handlers.openOutput({ kind: 'run', store, sweep, run: FAILED });
    expect(executed).toEqual([
      CommandIDs.openSweep,
      CommandIDs.openRun,
      CommandIDs.openRun,
      CommandIDs.openSweep,
      CommandIDs.openOutput
    ]);
  });
});
