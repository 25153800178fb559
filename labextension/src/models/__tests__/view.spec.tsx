import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it, vi } from 'vitest';

import { aModel, aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { someStores } from '../../__tests__/stores';
import { ProjectsModel } from '../../projects/model';
import { ModelsModel } from '../model';
import { ModelsView } from '../view';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

describe('the section of models', () => {
  it('tells how complete the record of a version is, if that is known', async () => {
    const server = new FakeServer()
      .on('GET /project', PROJECT)
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [
        aModel({ version: 3, complete: 8 }),
        aModel({ version: 2, complete: 0 }),
        aModel({ version: 1, complete: null })
      ]);
    const stores = someStores(server);
    const projects = new ProjectsModel(server.client, stores);
    const model = new ModelsModel(projects);
    await projects.follow('flights/train.ipynb', false);
    await projects.want(true);
    await vi.waitFor(() => {
      expect(model.models).toHaveLength(3);
    });
    const node = document.createElement('div');
    const root = createRoot(node);
    act(() => {
      root.render(
        <ModelsView
          model={model}
          trans={nullTranslator.load('')}
          handlers={{ open: vi.fn(), point: vi.fn(), select: vi.fn() }}
        />
      );
    });
    const told = [...node.querySelectorAll('[data-version]')].map(row => [
      row.querySelector('[role="img"]')?.ariaLabel,
      row.querySelector('[data-complete="true"]')?.textContent
    ]);
    expect(told).toEqual([
      ['8 of 8 parts complete', '8/8'],
      ['0 of 8 parts complete', undefined],
      [undefined, undefined]
    ]);
    act(() => {
      root.unmount();
    });
    model.dispose();
    projects.dispose();
    stores.dispose();
  });
});
