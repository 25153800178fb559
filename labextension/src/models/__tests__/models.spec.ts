import type { Event } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakeServer, refusal } from '../../__tests__/server';
import { aModel, aStatus, PROJECT } from '../../__tests__/samples';
import { ProjectStore } from '../../projects/store';
import { RegisterModel } from '../register';

describe('RegisterModel', () => {
  let server: FakeServer;
  let store: ProjectStore;
  let form: RegisterModel;

  beforeEach(async () => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [
        aModel({ aliases: ['champion'] }),
        aModel({ version: 2, aliases: ['champion', 'next'] })
      ])
      .on('POST /models/flights/versions', aModel({ version: 3 }));
    store = new ProjectStore({
      project: PROJECT,
      client: server.client,
      stream: new Stream<Event.IManager, Event.Emission>({} as Event.IManager),
      files: server.files,
      interval: 60_000,
      isWanted: () => true
    });
    await vi.waitFor(() => {
      expect(store.models).toHaveLength(2);
    });
    form = new RegisterModel(store, { sweep: 's1' }, 'train', 'Register');
  });
  afterEach(() => {
    store.dispose();
  });

  it('registers the best run of a sweep under an alias', async () => {
    form.name = ' flights ';
    form.alias = '@champion';
    expect((await form.submit())?.version).toBe(3);
    expect(server.last('POST /models/flights/versions').body).toEqual({
      sweep: 's1',
      alias: 'champion'
    });
  });

  it('sends no alias where none is wanted', async () => {
    form.name = 'flights';
    await form.submit();
    expect(server.last('POST /models/flights/versions').body).toMatchObject({
      alias: null
    });
  });

  it('wants a name', () => {
    expect(form.canSubmit).toBe(true);
    form.name = ' ';
    expect(form.canSubmit).toBe(false);
  });

  it('keeps what the server refuses until something is changed', async () => {
    server.on(
      'POST /models/flights/versions',
      refusal(409, 'no_model', 'The run logged no model.')
    );
    form.name = 'flights';
    expect(await form.submit()).toBeNull();
    expect(form.error?.message).toBe('The run logged no model.');
    expect(form.canSubmit).toBe(false);
    form.name = 'flights2';
    expect(form.error).toBeNull();
  });

  it('knows the names and aliases in use', () => {
    expect(form.knownNames).toEqual(['late-flights']);
    expect(form.knownAliases).toEqual(['champion', 'next']);
  });
});
