import type { Event } from '@jupyterlab/services';
import type { Stream } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import {
  anEvent,
  aRun,
  aStatus,
  aSweep,
  PROJECT
} from '../../__tests__/samples';
import { aStream, someStores } from '../../__tests__/stores';
import { SCHEMA_ID } from '../../api/events';
import type { Stores } from '../../projects/stores';
import { SweepModel } from '../model';
import { NO_STATE } from '../state';

describe('SweepModel', () => {
  let server: FakeServer;
  let stream: Stream<Event.IManager, Event.Emission>;
  let stores: Stores;
  let model: SweepModel;

  const emit = (seq: number, kind: 'metrics' | 'sweep'): void => {
    stream.emit({
      schema_id: SCHEMA_ID,
      project: PROJECT.path,
      ...anEvent({ seq, kind, run_id: null })
    } as unknown as Event.Emission);
  };

  beforeEach(async () => {
    stream = aStream();
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [aSweep()])
      .on('GET /sweeps/s1', aSweep())
      .on('GET /models', [])
      .on('GET /runs', [
        aRun({ metrics: { auc: 0.6, loss: 0.3 } }),
        aRun({ id: 's1-2', metrics: { auc: 0.7, loss: 0.2 } })
      ])
      .on('GET /sweeps/s1/metrics', ({ query }: { query: object }) => [
        { run_id: 's1-1', steps: [0], values: [1], times: [0], ...query }
      ]);
    stores = someStores(server, { stream });
    model = new SweepModel(stores.acquire(PROJECT), 's1', NO_STATE);
    await vi.waitFor(() => {
      expect(model.runs).toHaveLength(2);
      expect(model.store.isLoaded).toBe(true);
    });
  });
  afterEach(() => {
    model.dispose();
    stores.dispose();
  });

  it('charts the metric that ranks, until another one is chosen', async () => {
    expect(model.metric).toBe('auc');
    await vi.waitFor(() => {
      expect(model.series[0]?.key).toBe('auc');
    });
    model.chart('loss');
    await vi.waitFor(() => {
      expect(model.series[0]?.key).toBe('loss');
    });
  });

  it('tells when what it remembers has changed', () => {
    const changed = vi.fn();
    model.stateChanged.connect(changed);
    const column = model.columns.find(each => each.kind === 'duration');
    if (column) {
      model.sortBy(column);
    }
    model.chart('loss');
    expect(changed).toHaveBeenCalledTimes(2);
    expect(model.state).toEqual({
      sort: { key: 'duration', isDescending: false },
      metric: 'loss',
      axis: null,
      where: ''
    });
  });

  it('lists the runs that are found, and remembers what was searched', async () => {
    server.on('GET /search/runs', {
      runs: [aRun({ id: 's1-2' })],
      total: 1,
      offset: 0,
      notes: []
    });
    const changed = vi.fn();
    model.stateChanged.connect(changed);
    model.search.text = 'metrics.auc > 0.65';
    await vi.waitFor(() => {
      expect(model.sorted.map(({ id }) => id)).toEqual(['s1-2']);
      expect(model.listed).toEqual(model.sorted);
    });
    expect(changed).toHaveBeenCalledOnce();
    expect(model.state.where).toBe('metrics.auc > 0.65');
    model.search.text = '';
    expect(model.sorted).toHaveLength(2);
  });

  it('draws single values against a parameter of choice', async () => {
    server.on('GET /runs', [
      aRun({ parameters: { depth: 3, rate: 0.1 }, metrics: { auc: 0.6 } }),
      aRun({
        id: 's1-2',
        parameters: { depth: 5, rate: 0.2 },
        metrics: { auc: 0.7 }
      })
    ]);
    await model.store.refresh();
    await vi.waitFor(() => {
      expect(model.axes).toEqual(['depth', 'rate']);
    });
    expect(model.axis).toBe('depth');
    model.drawAgainst('rate');
    expect(model.axis).toBe('rate');
    expect(model.state.axis).toBe('rate');
    model.drawAgainst('gone');
    expect(model.axis).toBe('depth');
  });

  it('fetches new values, but not at every message', async () => {
    await vi.waitFor(() => {
      expect(model.series).toHaveLength(1);
    });
    const before = server.count('GET /sweeps/s1/metrics');
    for (let seq = 1; seq < 6; seq++) {
      emit(seq, 'metrics');
    }
    await vi.waitFor(
      () => {
        expect(server.count('GET /sweeps/s1/metrics')).toBe(before + 1);
      },
      { timeout: 4000 }
    );
  });

  it('knows when its sweep was deleted', async () => {
    expect(model.isGone).toBe(false);
    server.on('GET /sweeps/s1', refusal(404, 'not_found', 'No such sweep.'));
    emit(1, 'sweep');
    await vi.waitFor(() => {
      expect(model.isGone).toBe(true);
    });
    expect(model.sorted).toEqual([]);
  });
});
