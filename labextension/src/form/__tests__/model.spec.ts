import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import {
  aParameter,
  aSweep,
  PROJECT,
  someParameters
} from '../../__tests__/samples';
import type { ParametersView, SpaceRequest } from '../../api/types';
import { FormModel } from '../model';

describe('FormModel', () => {
  let server: FakeServer;
  let model: FormModel;

  const load = async (
    given: Partial<ParametersView> = {}
  ): Promise<FormModel> => {
    server.on('GET /parameters', someParameters(given));
    model = new FormModel(server.client, PROJECT, 'train.ipynb');
    await model.load();
    return model;
  };
  /** The counting that was asked for last has been answered. */
  const counted = (): Promise<void> =>
    vi.waitFor(() => {
      expect(model.isCounting).toBe(false);
    });
  const previewed = (): SpaceRequest =>
    server.last('POST /preview').body as SpaceRequest;

  beforeEach(() => {
    server = new FakeServer()
      .on('POST /preview', ({ body }: { body: SpaceRequest }) => ({
        count: (body.space?.depth ?? '3').split(',').length,
        errors: {},
        seconds: 12
      }))
      .on('POST /sweeps', aSweep());
  });
  afterEach(() => {
    model.dispose();
  });

  it('fills in the defaults, and counts one run', async () => {
    await load();
    expect(model.text('depth')).toBe('3');
    expect(model.text('rate')).toBe('0.1');
    expect(model.preview).toEqual({ count: 1, errors: {}, seconds: 12 });
    expect(model.canSubmit).toBe(true);
  });

  it('fills in what was submitted last', async () => {
    await load({
      last_space: { depth: '3,5' },
      last_metric: 'loss',
      last_maximize: false
    });
    expect(model.text('depth')).toBe('3,5');
    expect(model.text('rate')).toBe('0.1');
    expect(model.options).toMatchObject({
      metric: 'loss',
      direction: 'lowest'
    });
  });

  it('sends only what differs from the defaults', async () => {
    await load();
    model.setText('depth', ' 3, 5 ');
    model.setText('rate', '');
    await counted();
    expect(previewed()).toMatchObject({
      notebook: 'train.ipynb',
      space: { depth: '3, 5' },
      allow_undeclared: false
    });
    expect(model.preview?.count).toBe(2);
  });

  it('counts once for several keystrokes, and not before', async () => {
    await load();
    for (const text of ['5', '5,', '5,7', '5,7,9']) {
      model.setText('depth', text);
    }
    expect(model.isCounting).toBe(true);
    await counted();
    expect(server.count('POST /preview')).toBe(2);
    expect(model.preview?.count).toBe(3);
  });

  it('puts an error at its field, and takes it back when that is mended', async () => {
    await load();
    server.on('POST /preview', {
      count: null,
      errors: { rate: 'It has no end.' },
      seconds: null
    });
    model.setText('rate', 'log(1,2');
    await counted();
    expect(model.errorOf('rate')).toBe('It has no end.');
    expect(model.errorOf('depth')).toBeNull();
    expect(model.canSubmit).toBe(false);
    server.on('POST /preview', { count: 1, errors: {}, seconds: null });
    model.setText('rate', '0.2');
    await counted();
    expect(model.errorOf('rate')).toBeNull();
    expect(model.canSubmit).toBe(true);
  });

  it('ignores an answer that a later one has overtaken', async () => {
    await load();
    const answers: ((count: number) => void)[] = [];
    server.on(
      'POST /preview',
      () =>
        new Promise(resolve => {
          answers.push(count => {
            resolve({ count, errors: {}, seconds: null });
          });
        })
    );
    model.setText('depth', '5');
    await vi.waitFor(() => {
      expect(answers).toHaveLength(1);
    });
    model.setText('depth', '5,7');
    await vi.waitFor(() => {
      expect(answers).toHaveLength(2);
    });
    answers[1]?.(2);
    await counted();
    answers[0]?.(1);
    await vi.waitFor(() => {
      expect(model.preview?.count).toBe(2);
    });
  });

  it('refuses options that cannot be read without asking the server', async () => {
    await load();
    const before = server.count('POST /preview');
    model.setOption('memory', 'much');
    await counted();
    expect([...model.unreadable]).toEqual(['memory']);
    expect(model.canSubmit).toBe(false);
    expect(server.count('POST /preview')).toBe(before);
  });

  it('starts a sweep, or a run if there is only one', async () => {
    await load();
    expect((await model.submit())?.id).toBe('s1');
    expect(server.last('POST /sweeps').body).toMatchObject({
      kind: 'run',
      space: {}
    });
    model.setText('depth', '3,5');
    await counted();
    await model.submit();
    expect(server.last('POST /sweeps').body).toMatchObject({
      kind: 'sweep',
      space: { depth: '3,5' }
    });
  });

  it('counts before it starts what has just been typed', async () => {
    await load();
    model.setText('depth', '3,5,7');
    await model.submit();
    expect(server.last('POST /sweeps').body).toMatchObject({
      kind: 'sweep',
      space: { depth: '3,5,7' }
    });
    server.on('POST /preview', {
      count: null,
      errors: { depth: 'It is no number.' },
      seconds: null
    });
    model.setText('depth', 'three');
    expect(await model.submit()).toBeNull();
    expect(model.errorOf('depth')).toBe('It is no number.');
    expect(server.count('POST /sweeps')).toBe(1);
  });

  it('keeps what the server refuses, at its field', async () => {
    await load();
    server.on(
      'POST /sweeps',
      refusal(400, 'too_many_resources', 'There are 2 cores.', 'cpus')
    );
    expect(await model.submit()).toBeNull();
    expect(model.errorOf('cpus')).toBe('There are 2 cores.');
    model.setOption('cpus', '1');
    expect(model.errorOf('cpus')).toBeNull();
  });

  it('says why a notebook cannot be read', async () => {
    server.on(
      'GET /parameters',
      refusal(400, 'notebook_unreadable', 'It is no notebook.')
    );
    model = new FormModel(server.client, PROJECT, 'train.ipynb');
    await model.load();
    expect(model.declared).toBeNull();
    expect(model.errorOf('')).toBe('It is no notebook.');
    expect(model.canSubmit).toBe(false);
  });

  it('sends free parameters where the notebook cannot be understood', async () => {
    await load({ readable: false, parameters: [] });
    model.setOption('free', 'depth = 3,5');
    await counted();
    expect(previewed()).toMatchObject({
      space: { depth: '3,5' },
      allow_undeclared: true
    });
  });

  it('knows which fields differ from their defaults', async () => {
    await load();
    const parameter = aParameter();
    expect(model.isChanged(parameter)).toBe(false);
    model.setText('depth', '4');
    expect(model.isChanged(parameter)).toBe(true);
    model.setText('depth', ' 3');
    expect(model.isChanged(parameter)).toBe(false);
  });
});
