import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EndpointClient } from '../../api/endpoints';
import type { EndpointView } from '../../api/types';
import { aModel, aStatus, anEndpoint } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { ProjectStore } from '../../projects/store';
import { ModelTabModel } from '../model';
import { Serving } from '../serving';
import { NO_STATE } from '../state';
import { TryIt } from '../tryit';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const trans = nullTranslator.load('');

describe('the form that tries a version', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let model: ModelTabModel;
  let serving: Serving;
  let root: Root;
  const node = document.createElement('div');

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on(
        'GET /models',
        [1, 2].map(version => aModel({ name: 'flights', version }))
      )
      .on('GET /models/flights/versions/2', {});
    store = aStore(server);
    const acquire = (): {
      store: ProjectStore;
      dispose: () => void;
      isDisposed: boolean;
    } => ({ store, dispose: vi.fn(), isDisposed: false });
    model = new ModelTabModel({
      lease: acquire(),
      name: 'flights',
      version: 2,
      state: NO_STATE
    });
    serving = new Serving({
      store,
      name: 'flights',
      endpoints: new EndpointClient(server.settings),
      acquire,
      isShown: () => true
    });
    root = createRoot(node);
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    serving.dispose();
    model.dispose();
    store.dispose();
  });

  async function show(endpoint: EndpointView | null): Promise<void> {
    server.on('GET /endpoints', endpoint ? [endpoint] : []);
    server.on('GET /endpoints/flights', {
      endpoint,
      columns: [{ name: 'hour', type: 'long', required: true }],
      example: null
    });
    await serving.refresh();
    await vi.waitFor(() => {
      expect(model.listed).not.toBeNull();
      expect(serving.isKnown).toBe(true);
      expect(serving.endpoint?.endpoint ?? null).toEqual(endpoint);
    });
    act(() => {
      root.render(
        <TryIt
          model={model}
          serving={serving}
          trans={trans}
          onOpenEndpoint={vi.fn()}
        />
      );
    });
  }

  function buttons(): readonly (string | null)[] {
    return [...node.querySelectorAll('button')].map(each => each.textContent);
  }

  it('offers to serve it where no version is served', async () => {
    await show(null);
    expect(node.textContent).toContain('No version of flights is served.');
    expect(buttons()).toEqual(['Serve v2']);
  });

  it('is there once the version is served', async () => {
    await show(anEndpoint({ version: 2 }));
    expect(node.textContent).toContain('v2 is served.');
    expect(node.querySelector('form label')?.textContent).toBe('hour');
  });

  it('does not ask another version in its place', async () => {
    await show(anEndpoint({ version: 1, error: 'v2 could not be loaded.' }));
    expect(node.textContent).toContain('v1 is served, and not v2.');
    expect(node.querySelector('[role="alert"]')?.textContent).toBe(
      'v2 could not be loaded.'
    );
    expect(buttons()).toEqual(['Serve v2 in its place', 'Open endpoint']);
    expect(node.querySelector('form')).toBeNull();
  });

  it('waits while the version is loaded', async () => {
    await show(anEndpoint({ version: 2, next: 2, status: 'starting' }));
    expect(node.textContent).toContain('v2 is being loaded.');
    expect(buttons()).toEqual(['Open endpoint']);
    expect(node.querySelector('form')).toBeNull();
  });

  it('offers to serve the version again after that has failed', async () => {
    await show(anEndpoint({ version: 2, status: 'failed', error: 'no' }));
    expect(buttons()).toEqual(['Serve v2 again', 'Open endpoint']);
    expect(node.querySelector('form')).toBeNull();
  });
});
