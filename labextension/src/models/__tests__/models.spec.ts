import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aModel, aStatus } from '../../__tests__/samples';
import { aStore } from '../../__tests__/stores';
import type { ModelVersionView } from '../../api/types';
import type { ProjectStore } from '../../projects/store';
import type { FieldsModel } from '../fields';
import { aliasForm, descriptionForm, registerForm } from '../register';

describe('the forms of models', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let form: FieldsModel<ModelVersionView>;

  beforeEach(async () => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [
        aModel({ aliases: ['champion'] }),
        aModel({ version: 2, aliases: ['champion', 'next'] })
      ])
      .on('POST /models/flights/versions', aModel({ version: 3 }));
    store = aStore(server);
    await vi.waitFor(() => {
      expect(store.models).toHaveLength(2);
    });
    form = registerForm(
      store,
      { sweep: 's1' },
      'train',
      nullTranslator.load('')
    );
  });
  afterEach(() => {
    store.dispose();
  });

  it('registers the best run of a sweep under an alias', async () => {
    form.write('name', ' flights ');
    form.write('alias', '@champion');
    form.write('owner', 'ada');
    expect((await form.submit())?.version).toBe(3);
    expect(server.last('POST /models/flights/versions').body).toEqual({
      sweep: 's1',
      alias: 'champion',
      tags: { owner: 'ada' }
    });
  });

  it('sends no alias where none is wanted', async () => {
    form.write('name', 'flights');
    await form.submit();
    expect(server.last('POST /models/flights/versions').body).toMatchObject({
      alias: null
    });
  });

  it('wants a name', () => {
    expect(form.canSubmit).toBe(true);
    form.write('name', ' ');
    expect(form.canSubmit).toBe(false);
  });

  it('keeps what the server refuses until something is changed', async () => {
    server.on(
      'POST /models/flights/versions',
      refusal(409, 'no_model', 'The run logged no model.')
    );
    form.write('name', 'flights');
    expect(await form.submit()).toBeNull();
    expect(form.error?.message).toBe('The run logged no model.');
    expect(form.canSubmit).toBe(false);
    form.write('name', 'flights2');
    expect(form.error).toBeNull();
  });

  it('knows the names and aliases in use', () => {
    const [name, alias] = form.fields;
    expect(name?.known).toEqual(['late-flights']);
    expect(alias?.known).toEqual(['champion', 'next', 'challenger']);
  });

  it('point an alias at a version and say why', async () => {
    server.on('PUT /models/late-flights/aliases/champion', aModel());
    const target = { kind: 'model', store, model: aModel() } as const;
    const alias = aliasForm(target, nullTranslator.load(''));
    expect(alias.canSubmit).toBe(false);
    alias.write('alias', '@champion');
    alias.write('why', 'better');
    await alias.submit();
    const { body } = server.last('PUT /models/late-flights/aliases/champion');
    expect(body).toEqual({ version: aModel().version, why: 'better' });
  });

  it('describe a version, and leave alone what is not filled in', async () => {
    server.on('PUT /models/late-flights/versions/1', aModel());
    const model = aModel({
      version: 1,
      tags: { owner: 'ada', 'mlops.run': 'r' }
    });
    const form = descriptionForm(
      { kind: 'model', store, model },
      nullTranslator.load('')
    );
    expect(form.text('owner')).toBe('ada');
    form.write('notes', 'Fit for summer.');
    await form.submit();
    expect(server.last('PUT /models/late-flights/versions/1').body).toEqual({
      notes: 'Fit for summer.',
      tags: { owner: 'ada' }
    });
  });
});
