import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aRun, aStatus, PROJECT } from '../../__tests__/samples';
import { someStores } from '../../__tests__/stores';
import type { Stores } from '../../projects/stores';
import { CompareModel } from '../model';
import type { ICompareState } from '../state';
import { NO_STATE, readState } from '../state';

const DONE = { status: 'succeeded', output: 'runs/a.ipynb' } as const;
const VIEW = {
  runs: [
    aRun({ ...DONE, id: 's1-1' }),
    aRun({ ...DONE, id: 's1-2' }),
    aRun({ ...DONE, id: 's1-3', output: null }),
    aRun({ ...DONE, id: 's1-4' })
  ],
  total: 4,
  parameters: [
    { name: 'depth', differs: true, values: {} },
    { name: 'seed', differs: false, values: {} }
  ],
  metrics: [
    { name: 'auc', differs: true, values: {} },
    { name: 'loss', differs: false, values: {} }
  ],
  facts: []
};

describe('CompareModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let model: CompareModel;

  const create = (given: Partial<ICompareState> = {}): CompareModel => {
    const state = { ...NO_STATE, ...given };
    model = new CompareModel(stores.acquire(PROJECT), ['s1'], state);
    return model;
  };

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('POST /compare', VIEW)
      .on('POST /compare/curves', ({ body }: { body: { key: string } }) => ({
        key: body.key,
        series: [],
        notes: []
      }))
      .on('POST /compare/cells', { left: 's1-1', right: 's1-2', cells: [] });
    stores = someStores(server);
  });
  afterEach(() => {
    model.dispose();
    stores.dispose();
  });

  it('asks for the runs, and for nothing that is not looked at', async () => {
    create();
    await vi.waitFor(() => {
      expect(model.runs).toHaveLength(4);
    });
    expect(server.last('POST /compare').body).toEqual({ ids: ['s1'] });
    expect(model.differing.map(row => row.name)).toEqual(['depth', 'auc']);
    expect(server.count('POST /compare/curves')).toBe(0);
    expect(server.count('POST /compare/cells')).toBe(0);
  });

  it('draws the first metric until another one is chosen', async () => {
    create({ part: 'curves', metric: 'gone' });
    await vi.waitFor(() => {
      expect(model.curves?.key).toBe('auc');
    });
    model.draw('loss');
    expect(model.curves).toBeNull();
    await vi.waitFor(() => {
      expect(model.curves?.key).toBe('loss');
    });
    expect(model.state.metric).toBe('loss');
  });

  it('compares the notebooks of two runs that have one', async () => {
    create({ part: 'cells' });
    await vi.waitFor(() => {
      expect(model.cells).not.toBeNull();
    });
    expect(server.last('POST /compare/cells').body).toEqual({
      left: 's1-1',
      right: 's1-2'
    });
    model.compareCells('s1-4', 's1-4');
    expect(model.pair).toEqual(['s1-4', 's1-1']);
    model.compareCells('s1-3', 's1-4');
    expect(model.pair).toEqual(['s1-1', 's1-4']);
  });

  it('tells why notebooks cannot be compared', async () => {
    const message = 'Comparing notebooks needs nbdime.';
    server.on('POST /compare/cells', refusal(400, 'invalid_input', message));
    create({ part: 'cells' });
    await vi.waitFor(() => {
      expect(model.cellsProblem).toBe(message);
    });
  });

  it('tells that a run is unknown, and asks again', async () => {
    server.on('POST /compare', refusal(404, 'not_found', 'There is no run.'));
    create();
    await vi.waitFor(() => {
      expect(model.problem?.message).toBe('There is no run.');
    });
    server.on('POST /compare', VIEW);
    await model.refresh();
    expect(model.problem).toBeNull();
    expect(model.runs).toHaveLength(4);
  });
});

describe('the state of a comparison', () => {
  it('is read as far as it is understood', () => {
    const state = { part: 'cells', metric: 'auc', left: 'a', right: 3 };
    expect(readState(state)).toEqual({ ...state, right: null });
    expect(readState(null)).toEqual(NO_STATE);
    expect(readState({ part: 'other' })).toEqual(NO_STATE);
  });
});
