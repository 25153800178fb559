import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aStatus, PROJECT } from '../../__tests__/samples';
import { someStores } from '../../__tests__/stores';
import type { ProjectView } from '../../api/types';
import { ProjectsModel } from '../model';
import type { Stores } from '../stores';

const ROOT: ProjectView = { id: 'r', path: '', name: 'home', marker: 'folder' };
const OTHER: ProjectView = { ...PROJECT, id: 'o', path: 'other' };

describe('ProjectsModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let model: ProjectsModel;

  beforeEach(() => {
    const found: Readonly<Record<string, ProjectView>> = {
      '': ROOT,
      'flights/train.ipynb': PROJECT,
      'other/a.ipynb': OTHER,
      other: OTHER
    };
    server = new FakeServer()
      .on('GET /project', ({ query }: { query: { path: string } }) => {
        if (query.path === 'locked.ipynb') {
          return refusal(403, 'not_allowed_path', 'It is locked.');
        }
        const project = found[query.path];
        return project ?? refusal(404, 'not_found', 'It does not exist.');
      })
      .on('GET /projects', [ROOT, PROJECT, OTHER])
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', []);
    stores = someStores(server, { isWanted: () => false });
    model = new ProjectsModel(server.client, stores);
  });
  afterEach(() => {
    model.dispose();
    stores.dispose();
  });
  const shown = (): string | undefined => model.current?.project.path;

  it('asks for no project before the panel is opened', async () => {
    await model.follow('flights/train.ipynb', false);
    expect(server.asked).toEqual([]);
    await model.want(true);
    expect(shown()).toBe('flights');
  });

  it('waits until it knows where the user is', async () => {
    await model.want(true);
    expect(server.asked).toEqual([]);
    await model.follow('', true);
    expect(shown()).toBe('');
  });

  it('goes up from a file that was deleted to a folder that is there', async () => {
    await model.want(true);
    await model.follow('other/deleted/b.ipynb', false);
    expect(shown()).toBe('other');
    await model.follow('gone/c.ipynb', false);
    expect(shown()).toBe('other');
    expect(model.problem).toBeNull();
  });

  it('follows the current notebook', async () => {
    await model.want(true);
    await model.follow('flights/train.ipynb', false);
    await model.follow('other/a.ipynb', false);
    expect(shown()).toBe('other');
  });

  it('stays where it is while browsing folders that are no marked project', async () => {
    await model.want(true);
    await model.follow('other', true);
    await model.follow('', true);
    expect(shown()).toBe('other');
  });

  it('stays at a chosen project until it is let go', async () => {
    await model.want(true);
    await model.follow('flights/train.ipynb', false);
    await model.choose(OTHER);
    await model.follow('flights/train.ipynb', false);
    expect(shown()).toBe('other');
    await model.choose(null);
    expect(shown()).toBe('flights');
  });

  it('takes the last of several answers that overtake each other', async () => {
    await model.want(true);
    await Promise.all([
      model.follow('other/a.ipynb', false),
      model.follow('flights/train.ipynb', false)
    ]);
    expect(shown()).toBe('flights');
  });

  it('keeps what it shows and says what is wrong', async () => {
    await model.want(true);
    await model.follow('flights/train.ipynb', false);
    await model.follow('locked.ipynb', false);
    expect(model.problem?.message).toBe('It is locked.');
    expect(shown()).toBe('flights');
    await model.follow('other/a.ipynb', false);
    expect(model.problem).toBeNull();
  });

  it('lists the projects to choose from', async () => {
    await model.list();
    expect(model.known.map(project => project.path)).toEqual([
      '',
      'flights',
      'other'
    ]);
  });

  it('has one store for each project, and drops those unused for long', () => {
    const first = stores.acquire(PROJECT);
    expect(stores.acquire(PROJECT).store).toBe(first.store);
    const others = Array.from({ length: 5 }, (_, index) =>
      stores.acquire({ ...PROJECT, path: String(index) })
    );
    others.forEach(lease => lease.dispose());
    expect(first.store.isDisposed).toBe(false);
    expect(others.map(lease => lease.store.isDisposed)).toEqual([
      true,
      true,
      false,
      false,
      false
    ]);
  });
});
