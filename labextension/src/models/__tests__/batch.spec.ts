import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aModel, aStatus, aSweep } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { SweepView } from '../../api/types';
import type { ProjectStore } from '../../projects/store';
import { predictionForm } from '../batch';
import type { FieldsModel } from '../fields';

const PREDICTIONS = 'POST /models/flights/predictions';

describe('the form of a batch prediction', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let form: FieldsModel<SweepView>;

  beforeEach(async () => {
    const model = aModel({
      name: 'flights',
      version: 1,
      aliases: ['champion']
    });
    const models = [
      model,
      aModel({ name: 'flights', version: 2 }),
      aModel({ name: 'others', version: 9 })
    ];
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', models)
      .on(PREDICTIONS, aSweep({ kind: 'run' }));
    store = aStore(server);
    await vi.waitFor(() => {
      expect(store.models).toHaveLength(3);
    });
    const target = { kind: 'model', store, model } as const;
    form = predictionForm(target, nullTranslator.load(''));
    form.write('input', 'new.csv');
    form.write('output', 'late.csv');
  });
  afterEach(() => {
    store.dispose();
  });

  it('asks the version that was pointed at, and offers the others', async () => {
    expect(form.text('version')).toBe('v1');
    const field = form.fields.find(({ name }) => name === 'version');
    expect(field?.known).toEqual(['v2', 'v1', '@champion']);
    expect((await form.submit())?.kind).toBe('run');
    expect(server.last(PREDICTIONS).body).toEqual({
      input: 'new.csv',
      output: 'late.csv',
      table: null,
      version: 1,
      alias: null
    });
  });

  it('takes an alias, with and without its sign', async () => {
    for (const text of ['@champion', 'champion']) {
      form.write('version', text);
      await form.submit();
      expect(server.last(PREDICTIONS).body).toMatchObject({
        version: null,
        alias: 'champion'
      });
    }
  });

  it('wants both files, and shows which of them is refused', async () => {
    form.write('output', ' ');
    expect(form.canSubmit).toBe(false);
    form.write('output', 'late.txt');
    server.on(
      PREDICTIONS,
      refusal(422, 'invalid', 'It must end in .csv.', 'output')
    );
    expect(await form.submit()).toBeNull();
    expect(form.error?.field).toBe('output');
  });
});
