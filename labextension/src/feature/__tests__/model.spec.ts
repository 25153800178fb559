import { PromiseDelegate } from '@lumino/coreutils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aDetail, aFeature } from '../../__tests__/features';
import { aStatus } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { ProjectStore } from '../../projects/store';
import { FeatureModel } from '../model';

const ENDPOINT = 'GET /features/flights.delay';

describe('FeatureModel', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let model: FeatureModel;
  let isShown: boolean;
  const dispose = vi.fn();

  beforeEach(() => {
    dispose.mockClear();
    isShown = true;
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on(ENDPOINT, aDetail());
    store = aStore(server);
    model = new FeatureModel({
      lease: { store, dispose, isDisposed: false },
      files: server.files,
      name: 'flights.delay',
      listed: aFeature({ summary: 'as listed' }),
      isShown: () => isShown
    });
  });
  afterEach(() => {
    model.dispose();
    store.dispose();
  });

  it('begins with what is listed', async () => {
    expect(model.feature?.summary).toBe('as listed');
    await model.refresh();
    expect(model.feature).toBe(model.detail?.feature);
  });

  it('shows what is known before the registry has answered', async () => {
    server.on(ENDPOINT, aDetail({ models: null }));
    const refreshed = model.refresh();
    const seen: unknown[] = [];
    model.changed.connect(() => {
      seen.push(model.detail?.models);
      server.on(ENDPOINT, aDetail());
    });
    await refreshed;
    expect(seen).toEqual([null, []]);
  });

  it('asks while somebody looks', async () => {
    isShown = false;
    await model.refresh();
    expect(server.count(ENDPOINT)).toBe(0);
    isShown = true;
    await model.refresh();
    expect(model.detail?.line).toBe(12);
  });

  it('keeps the same object while nothing has changed', async () => {
    await model.refresh();
    const before = model.detail;
    await model.refresh();
    expect(model.detail).toBe(before);
    server.on(ENDPOINT, aDetail({ line: 13 }));
    await model.refresh();
    expect(model.detail?.line).toBe(13);
  });

  it('asks again when the module was saved', async () => {
    await model.refresh();
    const before = server.count(ENDPOINT);
    server.files.emit({
      type: 'save',
      oldValue: null,
      newValue: { path: 'flights/features/flights.py' }
    });
    await vi.waitFor(() => {
      expect(server.count(ENDPOINT)).toBe(before + 1);
    });
  });

  it('tells that there is no such feature any more, and that there is again', async () => {
    const answer = refusal(404, 'not_found', 'There is no feature x.');
    server.on(ENDPOINT, answer);
    await model.refresh();
    expect(model.missing).toBe('There is no feature x.');
    expect(model.problem).toBeNull();
    server.on(ENDPOINT, aDetail());
    await model.refresh();
    expect(model.missing).toBeNull();
  });

  it('keeps what it knows while the server does not answer', async () => {
    await model.refresh();
    server.isDown = true;
    await model.refresh();
    expect(model.detail).not.toBeNull();
    expect(model.problem?.message).toContain('does not answer');
    expect(model.missing).toBeNull();
  });

  it('shows the last answer, and none after it was disposed of', async () => {
    const slow = new PromiseDelegate<unknown>();
    server.on(ENDPOINT, () => slow.promise);
    const first = model.refresh();
    server.on(
      ENDPOINT,
      aDetail({ feature: aFeature({ summary: 'new' }), line: 2 })
    );
    await model.refresh();
    slow.resolve(aDetail({ line: 1 }));
    await first;
    expect(model.detail?.line).toBe(2);
    const changed = vi.fn();
    model.changed.connect(changed);
    const last = model.refresh();
    model.dispose();
    model.dispose();
    await last;
    expect(changed).not.toHaveBeenCalled();
    expect(dispose).toHaveBeenCalledOnce();
  });
});
