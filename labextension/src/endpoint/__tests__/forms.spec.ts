import { beforeEach, describe, expect, it } from 'vitest';

import { EndpointClient } from '../../api/endpoints';
import { aSweep, anEndpoint } from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import { CompareForm } from '../comparing';
import { readState } from '../state';
import { WatchForm } from '../watching';

const COLUMNS = [{ name: 'hour', type: 'long', required: true }];

let server: FakeServer;
let client: EndpointClient;

beforeEach(() => {
  server = new FakeServer()
    .on('PUT /endpoints/flights', anEndpoint())
    .on('POST /models/flights/monitoring', aSweep());
  client = new EndpointClient(server.settings);
});

describe('WatchForm', () => {
  it('serves the same version with what is kept', async () => {
    const form = new WatchForm(client, 'p', anEndpoint(), COLUMNS, 'Keep');
    form.keep('hour', true);
    form.percent = '25';
    form.challenger = 'v4';
    await form.submit();
    expect(server.last('PUT /endpoints/flights').body).toEqual({
      version: 3,
      alias: null,
      monitor: { columns: ['hour'], share: 0.25, challenger: 4 }
    });
  });

  it('ends it where nothing is chosen', async () => {
    const endpoint = anEndpoint({ monitored: ['hour'], share: 0.5 });
    const form = new WatchForm(client, 'p', endpoint, COLUMNS, 'Keep');
    expect([form.isKept('hour'), form.percent]).toEqual([true, '50']);
    form.keep('hour', false);
    await form.submit();
    expect(server.last('PUT /endpoints/flights').body).toMatchObject({
      monitor: { columns: [], share: 0, challenger: null }
    });
  });

  it('takes no share that is none, and keeps what the server refuses', async () => {
    const form = new WatchForm(client, 'p', anEndpoint(), COLUMNS, 'Keep');
    form.percent = '101';
    expect(form.canSubmit).toBe(false);
    form.percent = '100';
    form.challenger = 'best';
    expect(form.canSubmit).toBe(false);
    server.on('PUT /endpoints/flights', refusal(404, 'not_found', 'No v9.'));
    form.challenger = '9';
    expect(await form.submit()).toBeNull();
    expect(form.error).toBe('No v9.');
  });
});

describe('CompareForm', () => {
  it('asks for a comparison of the version that is served', async () => {
    const form = new CompareForm(client, 'p', 'flights', 3, 'Compare');
    form.setValue('allowed', '0.2');
    form.setValue('on', 'id, day');
    form.setValue('labels', 'truth.csv');
    form.setValue('label', 'late');
    await form.submit();
    expect(server.last('POST /models/flights/monitoring').body).toEqual({
      version: 3,
      input: null,
      allowed: 0.2,
      labels: 'truth.csv',
      on: ['id', 'day'],
      label: 'late'
    });
    form.setValue('allowed', '2');
    expect(form.canSubmit).toBe(false);
  });
});

describe('the state of a tab', () => {
  it('survives a reload, whatever was saved', () => {
    expect(readState({ part: 'log' })).toEqual({ part: 'log' });
    expect(readState({ part: 'other' })).toEqual({ part: 'try' });
    expect(readState(null)).toEqual({ part: 'try' });
  });
});
