import { beforeEach, describe, expect, it, vi } from 'vitest';

import { anArtifact } from '../../__tests__/samples';
import { FakeServer, File, refusal } from '../../__tests__/server';
import { ArtifactsModel } from '../model';

const CSV = anArtifact('plots/a b.csv', { size: 8 });
const CONTENT = 'GET /runs/s1-1/artifact/content';

describe('ArtifactsModel', () => {
  let server: FakeServer;
  let model: ArtifactsModel;

  beforeEach(async () => {
    server = new FakeServer()
      .on('GET /runs/s1-1/artifacts', {
        run_id: 's1-1',
        artifacts: [CSV, anArtifact('model/model.pkl', { size: 40_000_000 })],
        more: false,
        problem: null
      })
      .on('GET /runs/s1-1/artifact', { ...CSV, sha256: 'abc' })
      .on(CONTENT, new File('a,b\n1,2\n'));
    model = new ArtifactsModel({
      client: server.client.artifacts,
      project: 'flights',
      run: 's1-1'
    });
    await model.load();
  });

  it('lists what a run kept, and remembers which folders are folded', () => {
    expect(model.rows).toHaveLength(4);
    model.expand('plots', false);
    expect(model.rows.map(each => each.path)).toEqual([
      'model',
      'model/model.pkl',
      'plots'
    ]);
    model.expand('plots', true);
    expect(model.rows).toHaveLength(4);
  });

  it('begins with closed folders where there are many files', async () => {
    const artifacts = Array.from({ length: 300 }, (_, at) =>
      anArtifact(`steps/${String(at)}.png`)
    );
    server.on('GET /runs/s1-1/artifacts', {
      run_id: 's1-1',
      artifacts,
      more: false,
      problem: null
    });
    await model.load();
    expect(model.rows.map(each => each.path)).toEqual(['steps']);
    model.expand('steps', true);
    expect(model.rows).toHaveLength(301);
  });

  it('reads the beginning of the chosen file, and its hash', async () => {
    await model.choose(CSV);
    expect(model.preview?.kind).toBe('table');
    expect(new TextDecoder().decode(model.preview?.bytes)).toBe('a,b\n1,2\n');
    expect(model.preview?.isCut).toBe(false);
    expect(model.sha256).toBe('abc');
    expect(server.last(CONTENT).query).toMatchObject({
      project: 'flights',
      path: 'plots/a b.csv',
      first: '1000001'
    });
    expect(server.last(CONTENT).headers.get('Authorization')).toBe(
      'token secret'
    );
  });

  it('shows a part of what is long', async () => {
    server.on(CONTENT, new File('x'.repeat(256_001)));
    await model.choose(anArtifact('log.txt', { size: 10 ** 9 }));
    expect(model.preview?.isCut).toBe(true);
    expect(model.preview?.bytes).toHaveLength(256_000);
  });

  it('reads nothing of what it does not show, until asked', async () => {
    await model.choose(anArtifact('model/model.pkl', { size: 40_000_000 }));
    expect(model.hindrance).toEqual({ kind: 'type' });
    expect(server.count(CONTENT)).toBe(0);
    expect(server.count('GET /runs/s1-1/artifact')).toBe(0);
    expect(model.sha256).toBeNull();
    await model.hash();
    expect(model.sha256).toBe('abc');
  });

  it('does not begin with a picture that is too large', async () => {
    await model.choose(anArtifact('a.png', { size: 10 ** 9 }));
    expect(model.hindrance).toEqual({ kind: 'large' });
    expect(server.count(CONTENT)).toBe(0);
  });

  it('tells why a file cannot be read', async () => {
    server.on(CONTENT, refusal(404, 'not_found', 'The run kept no such.'));
    await model.choose(CSV);
    expect(model.hindrance).toEqual({
      kind: 'failed',
      message: 'The run kept no such.'
    });
  });

  it('shows only the file that was chosen last', async () => {
    let answer: (text: File) => void = () => undefined;
    server.on(CONTENT, () => new Promise<File>(resolve => (answer = resolve)));
    const first = model.choose(CSV);
    await vi.waitFor(() => {
      expect(server.count(CONTENT)).toBe(1);
    });
    server.on(CONTENT, new File('new'));
    await model.choose(anArtifact('note.txt', { size: 3 }));
    answer(new File('old'));
    await first;
    expect(model.preview?.artifact.path).toBe('note.txt');
    expect(new TextDecoder().decode(model.preview?.bytes)).toBe('new');
  });

  it('keeps the list when asking again fails, and says why', async () => {
    server.isDown = true;
    await model.load();
    expect(model.problem).toBe('The Jupyter server does not answer.');
    expect(model.rows).toHaveLength(4);
  });

  it('writes the address of a download, below the base URL', () => {
    const url = new URL(server.client.artifacts.url(model.place('a b&c.csv')));
    expect(url.pathname).toBe('/user/x/mlops/api/runs/s1-1/artifact/content');
    expect(url.searchParams.get('path')).toBe('a b&c.csv');
    expect(url.searchParams.get('project')).toBe('flights');
  });
});
