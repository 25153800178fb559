import type { INotebookContent } from '@jupyterlab/nbformat';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import {
  anAttempt,
  aRun,
  aStatus,
  aSweep,
  aTail,
  PROJECT
} from '../../__tests__/samples';
import { someStores } from '../../__tests__/stores';
import type { RunView } from '../../api/types';
import type { Stores } from '../../projects/stores';
import { RunModel } from '../model';
import { NO_STATE, readState } from '../state';

const NOTEBOOK = {
  cells: [
    { cell_type: 'code', source: 'x = 1', metadata: {}, outputs: [] },
    {
      cell_type: 'code',
      source: 'print(x)',
      metadata: {},
      outputs: [{ output_type: 'stream', name: 'stdout', text: '1\n' }]
    },
    { cell_type: 'code', source: 'fail()', metadata: {}, outputs: [] }
  ],
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5
} as INotebookContent;
const TAIL = aTail({ cell: 3, cells: 3, cell_times: [1, 2], text: 'step 7' });

describe('RunModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let model: RunModel;
  let isShown: boolean;
  const readNotebook = vi.fn((path: string) => {
    return path === 'flights/runs/a.ipynb'
      ? Promise.resolve(NOTEBOOK)
      : Promise.reject(new Error(`There is no ${path}`));
  });

  const serve = (run: RunView): void => {
    server.on('GET /runs', [run]).on('GET /runs/s1-1', {
      run,
      attempts: [anAttempt({ failed_cell: run.cell })],
      sweep: aSweep(),
      notebook_hash: 'abc',
      context: {}
    });
  };
  const open = (): void => {
    model = new RunModel({
      lease: stores.acquire(PROJECT),
      sweep: 's1',
      id: 's1-1',
      state: NO_STATE,
      readNotebook,
      isShown: () => isShown
    });
  };

  beforeEach(() => {
    isShown = true;
    readNotebook.mockClear();
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [aSweep()])
      .on('GET /sweeps/s1', aSweep())
      .on('GET /models', [])
      .on('GET /runs/s1-1/tail', TAIL)
      .on('POST /runs/s1-1/notebook', {
        path: 'runs/a.ipynb',
        finished: false
      });
    stores = someStores(server);
  });
  afterEach(() => {
    model.dispose();
    stores.dispose();
  });

  it('follows the cell that is executed, with what it prints', async () => {
    serve(aRun({ cell: 3, cells: 3 }));
    open();
    await vi.waitFor(() => {
      expect(model.tail?.text).toBe('step 7');
      expect(model.written?.source).toBe('fail()');
    });
    expect(model.cell).toBe(3);
    expect(model.isLive).toBe(true);
    model.choose(2);
    expect(model.isLive).toBe(false);
    expect(model.written?.outputs).toHaveLength(1);
  });

  it('reads the notebook again for a cell that has ended since', async () => {
    serve(aRun({ cell: 3, cells: 3 }));
    open();
    await vi.waitFor(() => {
      expect(model.written?.source).toBe('fail()');
    });
    model.choose(1);
    expect(readNotebook).toHaveBeenCalledTimes(1);
    model.choose(3);
    await vi.waitFor(() => {
      expect(readNotebook).toHaveBeenCalledTimes(2);
    });
  });

  it('does not ask what is printed while nobody looks', async () => {
    isShown = false;
    serve(aRun());
    open();
    await vi.waitFor(() => {
      expect(model.detail).not.toBeNull();
    });
    await new Promise(resolve => setTimeout(resolve, 1300));
    expect(server.count('GET /runs/s1-1/tail')).toBe(0);
    isShown = true;
    await vi.waitFor(
      () => {
        expect(model.tail?.text).toBe('step 7');
      },
      { timeout: 3000 }
    );
  });

  it('shows the cell that failed, and asks for no tail', async () => {
    serve(
      aRun({ status: 'failed', cell: 3, cells: 3, output: 'runs/a.ipynb' })
    );
    open();
    await vi.waitFor(() => {
      expect(model.written?.source).toBe('fail()');
      expect(model.attempt?.failed_cell).toBe(3);
    });
    expect(model.cell).toBe(3);
    expect(model.cells(Date.now()).map(cell => cell.state)).toEqual([
      'succeeded',
      'succeeded',
      'failed'
    ]);
    expect(server.count('GET /runs/s1-1/tail')).toBe(0);
    expect(server.count('POST /runs/s1-1/notebook')).toBe(0);
  });

  it('shows the last outputs of a run that has succeeded', async () => {
    serve(aRun({ status: 'succeeded', output: 'runs/a.ipynb' }));
    open();
    await vi.waitFor(() => {
      expect(model.cell).toBe(2);
    });
  });

  it('says why there is nothing to see', async () => {
    serve(aRun({ status: 'succeeded', output: 'runs/gone.ipynb' }));
    open();
    await vi.waitFor(() => {
      expect(model.problem).toBe('There is no flights/runs/gone.ipynb');
    });
  });

  it('knows when its run was deleted', async () => {
    serve(aRun({ id: 's1-2' }));
    server.on('GET /runs/s1-1', refusal(404, 'not_found', 'There is no run.'));
    open();
    await vi.waitFor(() => {
      expect(model.isGone).toBe(true);
    });
  });

  it('remembers which part is shown', () => {
    serve(aRun());
    open();
    const changes = vi.fn();
    model.stateChanged.connect(changes);
    model.show('context');
    expect(changes).toHaveBeenCalledOnce();
    expect(readState({ ...model.state })).toEqual({ part: 'context' });
    expect(readState({ part: 'nonsense' })).toEqual(NO_STATE);
    expect(readState(null)).toEqual(NO_STATE);
  });
});
