import type { Event } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aNode, anExecutor, LOCAL } from '../../__tests__/executors';
import { anEvent, aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { aStream, someStores } from '../../__tests__/stores';
import { SCHEMA_ID } from '../../api/events';
import type { ExecutorView } from '../../api/types';
import { ProjectsModel } from '../../projects/model';
import type { Stores } from '../../projects/stores';
import { EnvironmentModel } from '../model';
import { EnvironmentView } from '../view';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const trans = nullTranslator.load('');

describe('the section of the environment', () => {
  let server: FakeServer;
  let stores: Stores;
  let projects: ProjectsModel;
  let model: EnvironmentModel;
  let node: HTMLElement;
  let root: Root;
  const stream = aStream();

  const asked = (): number => server.count('GET /executors');
  /** Show what the server answers. */
  const show = async (...executors: readonly ExecutorView[]): Promise<void> => {
    server.on('GET /executors', executors);
    await projects.want(true);
    await projects.follow('flights/train.ipynb', false);
    model.want(true);
    await vi.waitFor(() => {
      expect(model.executors).toEqual(executors);
      expect(model.status).not.toBeNull();
    });
    act(() => {
      root.render(<EnvironmentView model={model} trans={trans} />);
    });
  };
  const cluster = (name = 'dask'): HTMLElement => {
    const found = node.querySelector<HTMLElement>(
      `section[data-executor="${name}"]`
    );
    if (!found) {
      throw new Error(`${name} is not shown`);
    }
    return found;
  };
  const texts = (within: Element, selector: string): readonly string[] =>
    [...within.querySelectorAll(selector)].map(each => each.textContent);

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /project', PROJECT)
      .on('GET /status', aStatus({ cores_held: 1 }))
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /events', []);
    stores = someStores(server, { stream });
    projects = new ProjectsModel(server.client, stores);
    model = new EnvironmentModel(projects);
    node = document.createElement('div');
    root = createRoot(node);
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    model.dispose();
    projects.dispose();
    stores.dispose();
  });

  it('is about this machine if there is nothing else', async () => {
    await show(LOCAL);
    expect(texts(node, '.jp-Mlops-number')).toEqual(['1/2 cores']);
    expect(node.textContent).toContain('Name a cluster in mlops.toml');
    expect(model.clusters).toEqual([]);
  });

  it('tells of a cluster, its nodes and their load', async () => {
    await show(LOCAL, anExecutor());
    expect(cluster().textContent).toContain('default');
    expect(cluster().textContent).toContain('tcp://n1:8786');
    expect(texts(cluster(), '.jp-Mlops-line .jp-Mlops-number')).toEqual([
      '3/6 cores'
    ]);
    expect(cluster().querySelector('table')?.getAttribute('aria-label')).toBe(
      'Nodes of dask'
    );
    expect(texts(cluster(), 'thead th')).toEqual([
      '2 nodes',
      'Cores',
      'Memory'
    ]);
    expect(texts(cluster(), '[data-node="a on n1"] > *')).toEqual([
      'a on n1',
      '3/4',
      '2.00 GB'
    ]);
  });

  it('tells of GPUs where there are any, and of what is not used', async () => {
    await show(
      LOCAL,
      anExecutor({
        nodes: [aNode({ gpus: 2, gpus_free: 1 })],
        unused: ['tcp://n3:1: it lacks ipykernel']
      })
    );
    expect(texts(cluster(), '[data-node] > td')).toEqual([
      '3/4',
      '1/2',
      '2.00 GB'
    ]);
    expect(texts(cluster(), 'li')).toEqual([
      'Not used: tcp://n3:1: it lacks ipykernel'
    ]);
  });

  it('lists a hundred nodes', async () => {
    const nodes = Array.from({ length: 120 }, (_, i) =>
      aNode({ name: `w${i}` })
    );
    await show(LOCAL, anExecutor({ nodes }));
    expect(texts(cluster(), '[data-node]')).toHaveLength(100);
    expect(cluster().textContent).toContain('20 more nodes');
  });

  it('links to the dashboard in a tab of its own', async () => {
    await show(LOCAL, anExecutor());
    const link = cluster().querySelector('a');
    expect(link?.href).toBe('http://n1:8787/status');
    expect(link?.target).toBe('_blank');
    expect(link?.rel.split(' ')).toContain('noopener');
    expect(link?.getAttribute('aria-label')).toBe('Dashboard of dask');
  });

  it('links to a dashboard behind the same hub', async () => {
    const dashboard = '/user/me/proxy/8787/status';
    await show(LOCAL, anExecutor({ dashboard }));
    expect(cluster().querySelector('a')?.getAttribute('href')).toBe(dashboard);
  });

  it.each(['javascript:alert(1)', 'ftp://n1', '//n1:8787', '/\\n1', ''])(
    'links to no %s',
    async dashboard => {
      await show(LOCAL, anExecutor({ dashboard }));
      expect(cluster().querySelector('a')).toBeNull();
    }
  );

  it('says why there are no nodes', async () => {
    await show(
      LOCAL,
      anExecutor({ nodes: [], connected: false, dashboard: null }),
      anExecutor({ name: 'empty', default: false, nodes: [] }),
      anExecutor({
        name: 'moon',
        default: false,
        runs_on: null,
        connected: false,
        problem: 'There is no executor moon.',
        nodes: []
      })
    );
    expect(cluster().textContent).toContain(
      'Its nodes show here as soon as runs are sent there.'
    );
    expect(cluster('empty').textContent).toContain('It has no nodes now.');
    expect(texts(cluster('moon'), 'p')).toEqual(['There is no executor moon.']);
  });

  it('follows what the status calls a problem, and sweeps', async () => {
    await show(LOCAL, anExecutor());
    const before = asked();
    const problem = 'The Dask scheduler does not answer.';
    server
      .on('GET /status', aStatus({ problem }))
      .on('GET /executors', [LOCAL, anExecutor({ problem, nodes: [] })]);
    await act(async () => {
      await projects.current?.refresh();
      await vi.waitFor(() => {
        expect(model.clusters[0]?.problem).toBe(problem);
      });
    });
    expect(asked()).toBe(before + 1);
    expect(texts(cluster(), 'p')).toEqual([problem]);
    server.on('GET /sweeps/s1', refusal(404, 'not_found', 'It is gone.'));
    await act(async () => {
      stream.emit({
        ...anEvent({ kind: 'sweep', sweep_id: 's1', seq: 1 }),
        schema_id: SCHEMA_ID,
        project: PROJECT.path
      } as unknown as Event.Emission);
      await vi.waitFor(() => {
        expect(asked()).toBe(before + 2);
      });
    });
  });

  it('keeps what it knew while the server does not answer', async () => {
    await show(LOCAL, anExecutor());
    server.isDown = true;
    await act(() => model.refresh());
    expect(
      node.querySelector('.jp-Mlops-section')?.getAttribute('aria-busy')
    ).toBe('true');
    expect(texts(cluster(), '[data-node]')).toHaveLength(2);
  });

  it('asks nothing while the panel is not seen', async () => {
    await projects.follow('flights/train.ipynb', false);
    model.want(true);
    await model.refresh();
    expect(asked()).toBe(0);
  });
});
