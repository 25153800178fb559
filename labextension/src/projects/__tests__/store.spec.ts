import type { Event } from '@jupyterlab/services';
import type { Stream } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import {
  aModel,
  anEvent,
  aRun,
  aStatus,
  aSweep,
  PROJECT
} from '../../__tests__/samples';
import { aStore, aStream } from '../../__tests__/stores';
import { SCHEMA_ID } from '../../api/events';
import type { EventView, SweepView } from '../../api/types';
import type { ProjectStore } from '../store';
import { PAGE } from '../store';

describe('ProjectStore', () => {
  let server: FakeServer;
  let stream: Stream<Event.IManager, Event.Emission>;
  let store: ProjectStore;
  let isWanted: boolean;

  const emit = (event: Partial<EventView>): void => {
    stream.emit({
      schema_id: SCHEMA_ID,
      project: PROJECT.path,
      ...anEvent(event)
    } as unknown as Event.Emission);
  };
  const open = (interval = 60_000): ProjectStore =>
    aStore(server, { stream, interval, isWanted: () => isWanted });
  const loaded = (): Promise<void> =>
    vi.waitFor(() => {
      expect(store.isLoaded).toBe(true);
    });

  beforeEach(() => {
    isWanted = true;
    stream = aStream();
    server = new FakeServer()
      .on('GET /status', aStatus({ running: 1, seq: 7 }))
      .on('GET /sweeps', [aSweep()])
      .on('GET /models', [aModel()])
      .on('GET /events', [])
      .on('GET /sweeps/s1', aSweep())
      .on('GET /runs', [aRun(), aRun({ id: 's1-2' })])
      .on('GET /runs/s1-1', { run: aRun({ cell: 2 }) });
    store = open();
  });
  afterEach(() => {
    store.dispose();
  });

  it('fetches status, sweeps and models', async () => {
    await loaded();
    expect(store.status?.running).toBe(1);
    expect(store.sweeps.map(sweep => sweep.id)).toEqual(['s1']);
    await vi.waitFor(() => {
      expect(store.models?.map(model => model.name)).toEqual(['late-flights']);
    });
    expect(server.last('GET /sweeps').query).toMatchObject({
      project: 'flights',
      limit: String(PAGE)
    });
  });

  it('lists sweeps without waiting for models', async () => {
    store.dispose();
    server.on('GET /models', () => new Promise(() => undefined));
    store = open();
    await loaded();
    expect(store.sweeps).toHaveLength(1);
    expect(store.models).toBeNull();
  });

  it('asks nothing while nobody looks', async () => {
    store.dispose();
    server.asked.length = 0;
    isWanted = false;
    store = open(20);
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(server.asked).toEqual([]);
    isWanted = true;
    await loaded();
  });

  it('asks for what a tab wants while no panel is shown', async () => {
    store.dispose();
    server.asked.length = 0;
    isWanted = false;
    store = open(20);
    const want = store.want();
    await loaded();
    await vi.waitFor(() => {
      expect(store.models).toHaveLength(1);
    });
    store.want().dispose();
    expect(server.count('GET /models')).toBe(1);
    want.dispose();
  });

  it('fetches only the sweep and the run that an event names', async () => {
    store.watch('s1');
    await loaded();
    await vi.waitFor(() => {
      expect(store.runs('s1')).toHaveLength(2);
    });
    server.asked.length = 0;
    emit({ seq: 8 });
    await vi.waitFor(() => {
      expect(store.runs('s1')?.[0]?.cell).toBe(2);
    });
    const paths = server.asked.map(each => each.path).sort();
    expect(paths).toEqual(['/runs/s1-1', '/status', '/sweeps/s1']);
  });

  it('gathers a burst of events into one fetch', async () => {
    await loaded();
    server.asked.length = 0;
    for (let seq = 8; seq < 30; seq++) {
      emit({ seq });
    }
    await vi.waitFor(() => {
      expect(server.count('GET /sweeps/s1')).toBe(1);
    });
    expect(server.count('GET /runs/s1-1')).toBe(0);
    expect(server.count('GET /status')).toBe(1);
  });

  it('fetches the list when many runs have changed', async () => {
    store.watch('s1');
    await loaded();
    await vi.waitFor(() => {
      expect(store.runs('s1')).toHaveLength(2);
    });
    server.asked.length = 0;
    for (let seq = 8; seq < 20; seq++) {
      emit({ seq, run_id: `s1-${String(seq)}` });
    }
    await vi.waitFor(() => {
      expect(server.count('GET /runs')).toBe(1);
    });
  });

  it('shows a sweep that has just begun first', async () => {
    await loaded();
    const fresh = aSweep({ id: 's2', created_at: '2026-03-01T13:00:00Z' });
    server.on('GET /sweeps/s2', fresh);
    emit({ seq: 8, kind: 'sweep', sweep_id: 's2', run_id: null });
    await vi.waitFor(() => {
      expect(store.sweeps.map(sweep => sweep.id)).toEqual(['s2', 's1']);
    });
  });

  it('forgets a sweep that is gone', async () => {
    await loaded();
    server.on('GET /sweeps/s1', refusal(404, 'not_found', 'No such sweep.'));
    emit({ seq: 8, kind: 'sweep', run_id: null });
    await vi.waitFor(() => {
      expect(store.sweeps).toEqual([]);
    });
    expect(store.problem).toBeNull();
  });

  it('forgets a deleted sweep without asking for it', async () => {
    await loaded();
    emit({
      seq: 8,
      kind: 'sweep',
      run_id: null,
      status: null,
      data: { deleted: true }
    });
    await vi.waitFor(() => {
      expect(store.sweeps).toEqual([]);
    });
    expect(server.count('GET /sweeps/s1')).toBe(0);
  });

  it('fetches the runs again when some were deleted', async () => {
    store.watch('s1');
    await loaded();
    await vi.waitFor(() => {
      expect(store.runs('s1')).toHaveLength(2);
    });
    server.on('GET /sweeps/s1', aSweep({ total: 1 }));
    server.on('GET /runs', [aRun()]);
    emit({ seq: 8, kind: 'sweep', run_id: null, data: { deleted: false } });
    await vi.waitFor(() => {
      expect(store.runs('s1')).toHaveLength(1);
    });
  });

  it('catches up with its own changes where no event arrives', async () => {
    await loaded();
    server.on('GET /events', [anEvent({ seq: 8, kind: 'sweep' })]);
    store.catchUp();
    await vi.waitFor(() => {
      expect(server.count('GET /sweeps/s1')).toBe(1);
    });
  });

  it('tells once that a sweep has ended', async () => {
    const ended: SweepView[] = [];
    store.finished.connect((_, sweep) => ended.push(sweep));
    await loaded();
    server.on('GET /sweeps/s1', aSweep({ status: 'succeeded' }));
    emit({ seq: 8, kind: 'sweep', run_id: null });
    await vi.waitFor(() => {
      expect(ended.map(sweep => sweep.id)).toEqual(['s1']);
    });
    emit({ seq: 9, kind: 'sweep', run_id: null });
    await vi.waitFor(() => {
      expect(server.count('GET /sweeps/s1')).toBe(2);
    });
    expect(ended).toHaveLength(1);
  });

  it('closes a gap by asking for what was missed', async () => {
    await loaded();
    server.on('GET /events', [anEvent({ seq: 8 }), anEvent({ seq: 9 })]);
    emit({ seq: 9 });
    await vi.waitFor(() => {
      expect(server.count('GET /sweeps/s1')).toBe(1);
    });
    expect(server.last('GET /events').query).toMatchObject({ after: '7' });
  });

  it('polls for what was missed when no event shows the gap', async () => {
    store.dispose();
    store = open(20);
    await loaded();
    server.on('GET /events', ({ query }: { query: { after: string } }) =>
      query.after === '7' ? [anEvent({ seq: 8 })] : []
    );
    await vi.waitFor(() => {
      expect(server.count('GET /sweeps/s1')).toBeGreaterThan(0);
    });
  });

  it('keeps the last state and says since when it is stale', async () => {
    await loaded();
    server.isDown = true;
    await store.refresh();
    await vi.waitFor(() => {
      expect(store.problem?.message).toContain('does not answer');
    });
    expect(store.sweeps).toHaveLength(1);
    server.isDown = false;
    await store.refresh();
    await vi.waitFor(() => {
      expect(store.problem).toBeNull();
    });
  });

  it('fetches models again when one has changed', async () => {
    await loaded();
    server.on('GET /models', [aModel(), aModel({ version: 2 })]);
    emit({ seq: 8, kind: 'model', sweep_id: null, run_id: null });
    await vi.waitFor(() => {
      expect(store.models).toHaveLength(2);
    });
  });

  it('tells of new metric values', async () => {
    const measured = vi.fn<(sweep: string) => void>();
    store.measured.connect((_, sweep) => measured(sweep));
    await loaded();
    emit({ seq: 8, kind: 'metrics' });
    await vi.waitFor(() => {
      expect(measured).toHaveBeenCalledWith('s1');
    });
  });

  it('lists older sweeps on demand', async () => {
    await loaded();
    store.loadMore();
    await vi.waitFor(() => {
      const { query } = server.last('GET /sweeps');
      expect(query).toMatchObject({ limit: String(2 * PAGE) });
    });
  });
});
