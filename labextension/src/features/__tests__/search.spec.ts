import { PromiseDelegate } from '@lumino/coreutils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aCatalog, aFeature, serveMany } from '../../__tests__/features';
import { FakeServer, refusal } from '../../__tests__/server';
import type { FeaturesView } from '../../api/types';
import { FeatureSearch, GATHER, PAGE } from '../search';

const ENDPOINT = 'GET /features';

describe('FeatureSearch', () => {
  let server: FakeServer;
  let search: FeatureSearch;

  beforeEach(() => {
    server = new FakeServer();
    serveMany(server, 500);
    search = new FeatureSearch(query =>
      server.client.features.list('flights', query)
    );
  });
  afterEach(() => {
    search.dispose();
    vi.useRealTimers();
  });

  it('fetches the first page, and others when they come into view', async () => {
    await search.refresh();
    expect(search.count).toBe(500);
    expect(search.at(0)?.name).toBe('many.f0000');
    expect(search.at(PAGE)).toBeNull();
    search.want(195, 215);
    search.want(196, 216);
    await vi.waitFor(() => {
      expect(search.at(200)?.name).toBe('many.f0200');
      expect(search.at(199)?.name).toBe('many.f0199');
    });
    expect(server.count(ENDPOINT)).toBe(3);
    expect(server.last(ENDPOINT).query).toMatchObject({
      project: 'flights',
      offset: '200',
      limit: String(PAGE)
    });
    search.want(499, 600);
    await vi.waitFor(() => {
      expect(search.at(499)?.name).toBe('many.f0499');
    });
    expect(server.count(ENDPOINT)).toBe(4);
  });

  it('asks once for what is typed in one go', async () => {
    await search.refresh();
    vi.useFakeTimers();
    for (const text of ['f', 'f0', 'f04', 'f042']) {
      search.text = text;
      vi.advanceTimersByTime(GATHER - 1);
    }
    expect(search.answeredText).toBe('');
    expect(search.count).toBe(500);
    vi.useRealTimers();
    search.text = 'f0420';
    await vi.waitFor(() => {
      expect(search.answeredText).toBe('f0420');
    });
    expect(search.count).toBe(1);
    expect(server.count(ENDPOINT)).toBe(2);
  });

  it('shows the answer to the last question, whichever comes last', async () => {
    await search.refresh();
    const slow = new PromiseDelegate<FeaturesView>();
    server.on(ENDPOINT, () => slow.promise);
    search.text = 'slow';
    const first = search.refresh();
    serveMany(server, 3);
    search.text = 'f0002';
    await search.refresh();
    expect(search.count).toBe(1);
    slow.resolve(aCatalog({ features: [aFeature(), aFeature()] }));
    await first;
    expect(search.count).toBe(1);
    expect(search.answeredText).toBe('f0002');
  });

  it('begins at the first page when something else is looked for', async () => {
    await search.refresh();
    search.want(300, 320);
    search.text = 'f';
    search.want(300, 320);
    await search.refresh();
    expect(search.at(0)?.name).toBe('many.f0000');
  });

  it('asks again for the page that is looked at', async () => {
    await search.refresh();
    search.want(200, 220);
    await vi.waitFor(() => {
      expect(search.at(200)).not.toBeNull();
    });
    await search.refresh();
    expect(server.last(ENDPOINT).query.offset).toBe('200');
    expect(search.at(0)).toBeNull();
    expect(search.at(219)).not.toBeNull();
  });

  it('keeps what it knows while the server refuses, and says why', async () => {
    await search.refresh();
    server.on(ENDPOINT, refusal(500, 'failed', 'It broke.'));
    await search.refresh();
    expect(search.problem?.message).toBe('It broke.');
    expect(search.at(0)?.name).toBe('many.f0000');
    serveMany(server, 2);
    await search.refresh();
    expect(search.problem).toBeNull();
    expect(search.count).toBe(2);
  });

  it('tells the number of features without fetching them', async () => {
    search.text = 'f0001';
    await search.peek();
    expect(search.view?.total).toBe(500);
    expect(search.at(0)).toBeNull();
    expect(server.last(ENDPOINT).query.limit).toBe('1');
    await search.refresh();
    expect(search.count).toBe(1);
  });

  it('says nothing after it was disposed of', async () => {
    const changed = vi.fn();
    search.changed.connect(changed);
    const asked = search.refresh();
    search.dispose();
    await asked;
    expect(changed).not.toHaveBeenCalled();
  });
});
