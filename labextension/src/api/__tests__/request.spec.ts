import { beforeEach, describe, expect, it } from 'vitest';

import { FakeServer, Refusal, refusal } from '../../__tests__/server';
import { aStatus, aSweep } from '../../__tests__/samples';
import { RequestError } from '../request';

describe('request', () => {
  let server: FakeServer;
  beforeEach(() => {
    server = new FakeServer();
    document.cookie = '_xsrf=crossing';
  });

  const failure = async (answer: unknown): Promise<RequestError> => {
    server.on('GET /status', answer);
    try {
      await server.client.status('flights');
    } catch (error) {
      if (error instanceof RequestError) {
        return error;
      }
      throw error;
    }
    throw new Error('It succeeded.');
  };

  it('asks below the base URL and names the project', async () => {
    server.on('GET /status', aStatus({ cores: 4 }));
    const status = await server.client.status('a b/ü');
    expect(status.cores).toBe(4);
    expect(server.last('GET /status').query).toMatchObject({
      project: 'a b/ü'
    });
  });

  it('escapes what it puts into a path', async () => {
    server.on('POST /models/a%2F%3Fb/versions', {});
    await server.client.registry.register('', 'a/?b', { sweep: 's1' });
    expect(server.count('POST /models/a%2F%3Fb/versions')).toBe(1);
  });

  it('leaves out parameters that are not given', async () => {
    server.on('GET /runs', []);
    await server.client.runs('', 's1');
    const { query } = server.last('GET /runs');
    expect(query).toMatchObject({ project: '', sweep: 's1' });
    expect(query).not.toHaveProperty('status');
  });

  it('sends JSON with the token and the XSRF cookie', async () => {
    server.on('POST /sweeps', aSweep());
    await server.client.submit('', { notebook: 'train.ipynb', kind: 'run' });
    const { body, headers } = server.last('POST /sweeps');
    expect(body).toEqual({ notebook: 'train.ipynb', kind: 'run' });
    expect(headers.get('Content-Type')).toBe('application/json');
    expect(headers.get('Authorization')).toBe('token secret');
    expect(headers.get('X-XSRFToken')).toBe('crossing');
  });

  it('passes on the message, code and field of an error', async () => {
    const answer = refusal(400, 'bad_space', 'rate: no end.', 'rate');
    expect(await failure(answer)).toMatchObject({
      message: 'rate: no end.',
      code: 'bad_space',
      field: 'rate',
      status: 400
    });
  });

  it('says how to enable the extension where there is none', async () => {
    const error = await failure(new Refusal(404, { message: 'Not found' }));
    expect(error.message).toContain('jupyter server extension enable');
  });

  it('tells the status of an answer that is not ours', async () => {
    const error = await failure(new Refusal(502, 'Bad gateway'));
    expect(error.message).toContain('502');
  });

  it('tells when nobody answers', async () => {
    server.isDown = true;
    expect((await failure(null)).code).toBe('unreachable');
  });
});
