import type { Event } from '@jupyterlab/services';
import type { Stream } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aCatalog, serveMany } from '../../__tests__/features';
import { anEvent, aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aStream, someStores } from '../../__tests__/stores';
import { SCHEMA_ID } from '../../api/events';
import type { EventView } from '../../api/types';
import { ProjectsModel } from '../../projects/model';
import type { Stores } from '../../projects/stores';
import { FeaturesModel } from '../model';

const ENDPOINT = 'GET /features';

describe('FeaturesModel', () => {
  let server: FakeServer;
  let stream: Stream<Event.IManager, Event.Emission>;
  let stores: Stores;
  let projects: ProjectsModel;
  let model: FeaturesModel;
  let seq: number;

  const emit = (event: Partial<EventView>): void => {
    seq += 1;
    stream.emit({
      schema_id: SCHEMA_ID,
      project: PROJECT.path,
      ...anEvent({ seq, ...event })
    } as unknown as Event.Emission);
  };
  const asked = (): number => server.count(ENDPOINT);
  const save = (path: string): void => {
    server.files.emit({
      type: 'save',
      oldValue: null,
      newValue: { path }
    });
  };

  beforeEach(async () => {
    seq = 0;
    stream = aStream();
    server = new FakeServer()
      .on('GET /project', PROJECT)
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /sweeps/s1', {})
      .on('GET /models', [])
      .on('GET /events', []);
    serveMany(server, 24);
    stores = someStores(server, { stream });
    projects = new ProjectsModel(server.client, stores);
    model = new FeaturesModel(projects, server.files);
    await projects.follow('flights/train.ipynb', false);
  });
  afterEach(() => {
    model.dispose();
    projects.dispose();
    stores.dispose();
  });

  it('asks for nothing until the panel is looked at, then for the number', async () => {
    expect(asked()).toBe(0);
    await projects.want(true);
    await vi.waitFor(() => {
      expect(model.total).toBe(24);
    });
    expect(server.last(ENDPOINT).query.limit).toBe('1');
    expect(model.search?.at(0)).toBeNull();
  });

  it('asks for the features when the section is unfolded', async () => {
    await projects.want(true);
    model.want(true);
    await vi.waitFor(() => {
      expect(model.search?.at(23)?.name).toBe('many.f0023');
    });
  });

  it('asks again when a run has ended, a model has changed or a module was saved', async () => {
    await projects.want(true);
    model.want(true);
    await vi.waitFor(() => {
      expect(model.search?.at(0)).not.toBeNull();
      expect(projects.current?.isLoaded).toBe(true);
    });
    for (const happen of [
      () => emit({ kind: 'sweep', status: 'succeeded' }),
      () => emit({ kind: 'model', status: null }),
      () => save('flights/features/delays.py'),
      () => save('flights/mlops.toml')
    ]) {
      const before = asked();
      happen();
      await vi.waitFor(() => {
        expect(asked()).toBe(before + 1);
      });
    }
  });

  it('does not ask because of what concerns no feature', async () => {
    await projects.want(true);
    model.want(true);
    await vi.waitFor(() => {
      expect(model.search?.at(0)).not.toBeNull();
      expect(projects.current?.isLoaded).toBe(true);
    });
    const before = asked();
    emit({ kind: 'run', status: 'running' });
    emit({ kind: 'sweep', status: 'running' });
    save('flights/notes.md');
    save('elsewhere/features/delays.py');
    save('flights/.mlops/features/x.py');
    // Another occasion is gathered with those, if they were any.
    save('flights/features/delays.py');
    await vi.waitFor(() => {
      expect(asked()).toBe(before + 1);
    });
  });

  it('tells the problems of definitions', async () => {
    const problem = {
      where: 'flights.delay',
      path: 'features/flights.py',
      line: 'flights.delay: a cycle'
    };
    server.on(ENDPOINT, aCatalog({ features: [], problems: [problem] }));
    expect(model.problems).toEqual([]);
    await projects.want(true);
    await vi.waitFor(() => {
      expect(model.problems).toEqual([problem]);
    });
  });

  it('lets somebody type, once', () => {
    const searching = vi.fn();
    model.searching.connect(searching);
    model.beginSearch();
    expect(searching).toHaveBeenCalledOnce();
    expect(model.takeSearch()).toBe(true);
    expect(model.takeSearch()).toBe(false);
  });

  it('forgets what was looked for in another project', async () => {
    await projects.want(true);
    const first = model.search;
    await projects.choose({ ...PROJECT, id: 'p2', path: 'other' });
    expect(model.search).not.toBe(first);
    expect(first?.isDisposed).toBe(true);
    await vi.waitFor(() => {
      expect(server.last(ENDPOINT).query.project).toBe('other');
    });
  });
});
