/** The one way to ask the server extension for something, typed by the contract. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { paths } from './schema';

type Verb = 'delete' | 'get' | 'post' | 'put';

/** The paths that answer to a verb. */
export type PathOf<V extends Verb> = {
  [P in keyof paths]: paths[P] extends Readonly<Record<V, object>> ? P : never;
}[keyof paths];

type Operation<V extends Verb, P extends PathOf<V>> = paths[P][V];

type Parameters<Op, Place extends 'path' | 'query'> = Op extends {
  readonly parameters: Readonly<Partial<Record<Place, infer T>>>;
}
  ? [Exclude<T, undefined>] extends [never]
    ? unknown
    : Readonly<Record<Place, Exclude<T, undefined>>>
  : unknown;

type Body<Op> = Op extends {
  readonly requestBody: {
    readonly content: { readonly 'application/json': infer T };
  };
}
  ? { readonly body: T }
  : unknown;

/** What an operation needs besides its path. */
export type Input<V extends Verb, P extends PathOf<V>> = Parameters<
  Operation<V, P>,
  'path'
> &
  Parameters<Operation<V, P>, 'query'> &
  Body<Operation<V, P>>;

/** What an operation answers. */
export type Answer<V extends Verb, P extends PathOf<V>> =
  Operation<V, P> extends {
    readonly responses: {
      readonly 200: {
        readonly content: { readonly 'application/json': infer T };
      };
    };
  }
    ? T
    : never;

/** An error of the server, with a message for the user. */
export class RequestError extends Error {
  constructor(
    message: string,
    /** Stable name of the error, `unreachable` if the server did not answer. */
    readonly code: string,
    /** HTTP status, 0 if there was no answer. */
    readonly status: number,
    /** The parameter or option that was refused, if the error is about one. */
    readonly field: string | null
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

interface ILooseError {
  readonly error?: {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly field?: unknown;
  };
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface ILooseInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Query;
  readonly body?: unknown;
}

/**
 * Ask the server extension.
 *
 * @param settings - the connection; it brings the token and the XSRF cookie along
 * @returns the answer's body
 * @throws RequestError with a message for the user
 */
export async function request<V extends Verb, P extends PathOf<V>>(
  settings: ServerConnection.ISettings,
  verb: V,
  path: P,
  input: Input<V, P>
): Promise<Answer<V, P>> {
  const response = await send(settings, verb, path, input as ILooseInput);
  const answer: unknown = await readJSON(response);
  if (!response.ok || answer === undefined) {
    throw toError(response, answer);
  }
  return answer as Answer<V, P>;
}

/** The paths that answer with a file. */
export type FilePath = '/runs/{run_id}/artifact/content';

/**
 * Ask the server extension for a file, or for its beginning.
 *
 * @throws RequestError with a message for the user
 */
export async function requestFile(
  settings: ServerConnection.ISettings,
  path: FilePath,
  input: Input<'get', FilePath>
): Promise<Uint8Array> {
  const response = await send(settings, 'get', path, input);
  if (!response.ok) {
    throw toError(response, await readJSON(response));
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** The address at which a browser that has logged in downloads a file. */
export function fileUrl(
  settings: ServerConnection.ISettings,
  path: FilePath,
  input: Input<'get', FilePath>
): string {
  const token =
    settings.appendToken && settings.token ? settings.token : undefined;
  return addressOf(settings, path, {
    ...input,
    query: { ...input.query, token }
  });
}

async function send(
  settings: ServerConnection.ISettings,
  verb: Verb,
  path: string,
  input: ILooseInput
): Promise<Response> {
  const init: RequestInit = { method: verb.toUpperCase() };
  if (input.body !== undefined) {
    init.body = JSON.stringify(input.body);
    init.headers = { 'Content-Type': 'application/json' };
  }
  try {
    return await ServerConnection.makeRequest(
      addressOf(settings, path, input),
      init,
      settings
    );
  } catch (error) {
    if (error instanceof ServerConnection.NetworkError) {
      throw new RequestError(
        'The Jupyter server does not answer.',
        'unreachable',
        0,
        null
      );
    }
    throw error;
  }
}

function addressOf(
  settings: ServerConnection.ISettings,
  path: string,
  input: ILooseInput
): string {
  const url = URLExt.join(
    settings.baseUrl,
    'mlops/api',
    fill(path, input.path ?? {})
  );
  return url + search(input.query ?? {});
}

function fill(path: string, values: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? '')
  );
}

function search(query: Query): string {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) {
      found.set(name, String(value));
    }
  }
  return found.size ? `?${found.toString()}` : '';
}

async function readJSON(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

function toError(response: Response, answer: unknown): RequestError {
  const detail = (answer as ILooseError | null | undefined)?.error;
  if (typeof detail?.message === 'string') {
    return new RequestError(
      detail.message,
      typeof detail.code === 'string' ? detail.code : 'failed',
      response.status,
      typeof detail.field === 'string' ? detail.field : null
    );
  }
  const message =
    response.status === 404
      ? 'The server extension jupyter_mlops is not enabled. Run: jupyter server extension enable jupyter_mlops'
      : `The server answered ${String(response.status)} ${response.statusText}.`;
  return new RequestError(message, 'failed', response.status, null);
}
