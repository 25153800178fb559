import type { INotebookContent } from '@jupyterlab/nbformat';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  anArtifact,
  aRun,
  aStatus,
  aSweep,
  PROJECT
} from '../../__tests__/samples';
import { FakeServer, File, refusal } from '../../__tests__/server';
import { someStores } from '../../__tests__/stores';
import type { RunView } from '../../api/types';
import type { Stores } from '../../projects/stores';
import { GalleryModel } from '../model';
import type { IGalleryState } from '../state';
import { NO_STATE, readState } from '../state';

const ROC = { kind: 'file', path: 'plots/roc.png', type: 'image/png' } as const;
const NOTEBOOK = {
  cells: [
    { cell_type: 'code', source: '', metadata: {}, outputs: [] },
    {
      cell_type: 'code',
      source: '',
      metadata: {},
      outputs: [{ output_type: 'display_data', data: { 'image/png': 'AQ==' } }]
    }
  ],
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5
} as unknown as INotebookContent;

const ended = (index: number, given: Partial<RunView> = {}): RunView =>
  aRun({
    id: `s1-${String(index)}`,
    index,
    status: 'succeeded',
    parameters: { depth: index },
    finished_at: '2026-03-01T12:00:09Z',
    value: index / 10,
    output: `runs/s1-${String(index)}.ipynb`,
    ...given
  });

describe('GalleryModel', () => {
  let server: FakeServer;
  let stores: Stores;
  let model: GalleryModel;

  const open = async (
    runs: readonly RunView[],
    state: IGalleryState = NO_STATE
  ): Promise<void> => {
    server
      .on('GET /runs', runs)
      .on('GET /sweeps', [aSweep({ total: runs.length })])
      .on('GET /sweeps/s1', aSweep({ total: runs.length }));
    model = new GalleryModel({
      lease: stores.acquire(PROJECT),
      id: 's1',
      state,
      readNotebook: () => Promise.resolve(NOTEBOOK)
    });
    await vi.waitFor(() => expect(model.sources).not.toBeNull());
  };
  const look = async (run: RunView, state: string): Promise<void> => {
    model.want(run);
    await vi.waitFor(() => expect(model.picture(run).state).toBe(state));
  };

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /models', []);
    for (const index of [1, 2, 3]) {
      const id = `s1-${String(index)}`;
      server
        .on(`GET /runs/${id}/artifacts`, {
          run_id: id,
          artifacts: [
            anArtifact('plots/roc.png', { media_type: 'image/png' }),
            anArtifact('table.csv')
          ],
          more: false,
          problem: null
        })
        .on(`GET /runs/${id}/artifact/content`, new File(id));
    }
    stores = someStores(server);
  });

  afterEach(() => {
    model.dispose();
    stores.dispose();
  });

  it('offers what the best run kept and drew, the best run first', async () => {
    await open([ended(1), ended(2), ended(3)]);
    expect(model.runs.map(run => run.index)).toEqual([3, 2, 1]);
    expect(model.names).toEqual(['depth']);
    expect(model.sources).toEqual([ROC, { kind: 'cell', cell: 2 }]);
    expect(model.source).toEqual(ROC);
    expect(server.count('GET /runs/s1-3/artifacts')).toBe(1);
    expect(server.count('GET /runs/s1-1/artifacts')).toBe(0);
  });

  it('fetches a picture when it is looked at, once', async () => {
    const run = ended(2);
    await open([ended(1), run]);
    expect(model.picture(run).state).toBe('waiting');
    await look(run, 'ready');
    model.want(run);
    expect(model.picture(run).url).toBe(
      `data:image/png;base64,${btoa('s1-2')}`
    );
    expect(server.count('GET /runs/s1-2/artifact/content')).toBe(1);
    expect(server.count('GET /runs/s1-1/artifact/content')).toBe(0);
  });

  it('tells which runs have no such picture', async () => {
    const [one, two] = [ended(1), ended(2)];
    server
      .on(
        'GET /runs/s1-1/artifact/content',
        refusal(404, 'not_found', 'The run kept no such.')
      )
      .on(
        'GET /runs/s1-2/artifact/content',
        refusal(503, 'tracking_unavailable', 'It is away.')
      );
    await open([one, two]);
    await look(one, 'missing');
    await look(two, 'failed');
    expect(model.picture(two).message).toBe('It is away.');
  });

  it('waits for runs that have not ended', async () => {
    const running = ended(2, { status: 'running', finished_at: null });
    await open([ended(1), running]);
    model.want(running);
    expect(model.picture(running).state).toBe('waiting');
  });

  it('shows what a cell has drawn in each run', async () => {
    const run = ended(1);
    await open([run]);
    model.show({ kind: 'cell', cell: 2 });
    await look(run, 'ready');
    expect(model.picture(run).url).toBe('data:image/png;base64,AQ==');
    expect(model.state.source).toEqual({ kind: 'cell', cell: 2 });
    model.show({ kind: 'cell', cell: 1 });
    await look(run, 'missing');
  });

  it('offers a picture that was asked for even if the best run has none', async () => {
    const source = { ...ROC, path: 'other.png' };
    await open([ended(1)], { ...NO_STATE, source });
    await vi.waitFor(() => expect(model.sources).toHaveLength(3));
    expect(model.sources?.[0]).toEqual(source);
  });
});

describe('readState', () => {
  it('reads what was saved, and nothing else', () => {
    const state: IGalleryState = { source: ROC, size: 'large' };
    expect(readState(JSON.parse(JSON.stringify(state)))).toEqual(state);
    const cell: IGalleryState = {
      source: { kind: 'cell', cell: 3 },
      size: 'small'
    };
    expect(readState(JSON.parse(JSON.stringify(cell)))).toEqual(cell);
    expect(readState({ source: { ...ROC, type: 'text/html' } })).toEqual(
      NO_STATE
    );
    expect(readState(null)).toEqual(NO_STATE);
  });
});
