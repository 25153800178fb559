import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { anExecutor, LOCAL } from '../../__tests__/executors';
import {
  aSweep,
  PROJECT,
  someParameters,
  someSharing
} from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import type { ExecutorView, SpaceRequest } from '../../api/types';
import { FormModel } from '../model';
import { Resources } from '../resources';
import { Summary } from '../summary';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const trans = nullTranslator.load('');
const MOON = anExecutor({
  name: 'moon',
  runs_on: null,
  default: false,
  connected: false,
  problem: 'There is no executor moon.',
  nodes: []
});

describe('where to run', () => {
  let server: FakeServer;
  let model: FormModel;
  let node: HTMLElement;
  let root: Root;
  /** Cores that are known at the cluster. */
  let cores: number | null;

  const show = async (...executors: readonly ExecutorView[]): Promise<void> => {
    server.on('GET /executors', executors);
    await model.load();
    render();
  };
  const render = (): void => {
    act(() => {
      root.render(
        <>
          <Summary model={model} trans={trans} />
          <Resources model={model} trans={trans} />
        </>
      );
    });
  };
  const field = (): HTMLSelectElement | null => {
    const labels = [...node.querySelectorAll('label')];
    const id = labels.find(
      each => each.textContent === 'Where to run'
    )?.htmlFor;
    return id ? node.querySelector<HTMLSelectElement>(`[id="${id}"]`) : null;
  };
  const fold = (): Element | null => node.querySelector('.jp-Mlops-fold');
  const estimate = (): string | null | undefined =>
    node.querySelector('.jp-Mlops-estimate')?.textContent;
  const choose = async (name: string): Promise<void> => {
    model.setOption('executor', name);
    await vi.waitFor(() => {
      expect(model.isCounting).toBe(false);
    });
    render();
  };

  beforeEach(() => {
    cores = 8;
    server = new FakeServer()
      .on('GET /parameters', someParameters({ cores: 2 }))
      .on('POST /explain', someSharing())
      .on('POST /preview', ({ body }: { body: SpaceRequest }) => {
        const isHere = body.executor === 'local';
        const known = isHere ? 2 : cores;
        return {
          count: 4,
          errors: {},
          seconds: known === null ? null : 60 / known,
          cores: known
        };
      })
      .on('POST /sweeps', aSweep());
    model = new FormModel(server.client, PROJECT, 'train.ipynb');
    node = document.createElement('div');
    root = createRoot(node);
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    model.dispose();
  });

  it('is no question if there is only this machine', async () => {
    await show({ ...LOCAL, default: true });
    expect(field()).toBeNull();
    expect(fold()?.textContent).toBe('Resources and retries, adaptive search');
    await model.submit();
    expect(server.last('POST /sweeps').body).toMatchObject({ executor: null });
  });

  it('is as in the settings, unless something else is chosen', async () => {
    await show(LOCAL, anExecutor());
    expect(field()?.value).toBe('dask');
    expect([...(field()?.options ?? [])].map(each => each.text)).toEqual([
      'this machine',
      'dask: 3/6 cores free'
    ]);
    expect(fold()?.textContent).toContain('where to run');
    await model.submit();
    expect(server.last('POST /sweeps').body).toMatchObject({ executor: null });
    await choose('local');
    expect(field()?.value).toBe('local');
    expect(server.last('POST /preview').body).toMatchObject({
      executor: 'local'
    });
    await model.submit();
    expect(server.last('POST /sweeps').body).toMatchObject({
      executor: 'local'
    });
  });

  it('is where the time is estimated for', async () => {
    await show(LOCAL, anExecutor());
    expect(estimate()).toBe('about 7.5 s on 8 cores of dask');
    await choose('local');
    expect(estimate()).toBe('about 30 s on 2 cores');
    cores = null;
    await choose('dask');
    expect(estimate()).toBe('time unknown, on dask');
  });

  it('shows at once why it will not go', async () => {
    const problem = 'The Dask scheduler does not answer.';
    await show(LOCAL, anExecutor({ problem, nodes: [] }), MOON);
    expect(fold()?.getAttribute('aria-expanded')).toBe('true');
    expect(node.textContent).toContain(problem);
    expect(model.canSubmit).toBe(true);
    const moon = field()?.options[2];
    expect([moon?.text, moon?.disabled]).toEqual([
      'moon: cannot be used',
      true
    ]);
    await choose('local');
    expect(node.textContent).not.toContain(problem);
  });

  it('says what is refused about it', async () => {
    const refused = 'There is no executor dask.';
    await show(LOCAL, anExecutor());
    server.on(
      'POST /sweeps',
      refusal(422, 'invalid_input', refused, 'executor')
    );
    await model.submit();
    render();
    expect(field()?.getAttribute('aria-invalid')).toBe('true');
    expect(node.textContent).toContain(refused);
  });

  it('does without an answer', async () => {
    server.on('GET /executors', refusal(500, 'internal', 'Something broke.'));
    await model.load();
    render();
    expect(field()).toBeNull();
    expect(estimate()).toBe('about 7.5 s on 8 cores');
  });
});
