/** A server for tests: answers by endpoint, and keeps what it was asked. */
import type { Contents } from '@jupyterlab/services';
import { ServerConnection } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import { MlopsClient } from '../api/client';

export interface IAsked {
  readonly method: string;
  /** Path below the API's root. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly headers: Headers;
}

type Responder = (asked: IAsked) => unknown;

const ROOT = '/user/x/mlops/api';

/** An answer with a status other than 200. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly body: unknown
  ) {}
}

/** An answer that is a file. */
export class File {
  constructor(readonly text: string) {}
}

/** The answer of our server extension to what it refuses. */
export function refusal(
  status: number,
  code: string,
  message: string,
  field: string | null = null
): Refusal {
  return new Refusal(status, { error: { code, message, field } });
}

export class FakeServer {
  readonly asked: IAsked[] = [];
  /** Whether nobody answers. */
  isDown = false;
  /** What happens to files in JupyterLab. */
  readonly files = new Signal<this, Contents.IChangedArgs>(this);

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost/user/x/',
    token: 'secret',
    fetch: ((request: Request) => this._answer(request)) as typeof fetch
  });

  readonly client = new MlopsClient(this.settings);

  /** Answer to `GET /sweeps/s1` and the like. */
  on(endpoint: string, answer: unknown): this {
    this._answers.set(
      endpoint,
      typeof answer === 'function' ? (answer as Responder) : () => answer
    );
    return this;
  }

  /** How often an endpoint was asked. */
  count(endpoint: string): number {
    return this.asked.filter(each => `${each.method} ${each.path}` === endpoint)
      .length;
  }

  /** What was last asked of an endpoint. */
  last(endpoint: string): IAsked {
    const found = this.asked.findLast(
      each => `${each.method} ${each.path}` === endpoint
    );
    if (!found) {
      throw new Error(`${endpoint} was not asked`);
    }
    return found;
  }

  private async _answer(request: Request): Promise<Response> {
    if (this.isDown) {
      throw new TypeError('Failed to fetch');
    }
    const url = new URL(request.url);
    const text = await request.text();
    const asked = {
      method: request.method,
      path: url.pathname.replace(ROOT, ''),
      query: Object.fromEntries(url.searchParams),
      body: text ? (JSON.parse(text) as unknown) : null,
      headers: request.headers
    };
    this.asked.push(asked);
    const answer = this._answers.get(`${asked.method} ${asked.path}`);
    if (!answer) {
      throw new Error(`No answer to ${asked.method} ${asked.path}`);
    }
    const found = await answer(asked);
    if (found instanceof File) {
      return new Response(found.text, { status: 200 });
    }
    return found instanceof Refusal
      ? new Response(JSON.stringify(found.body), { status: found.status })
      : new Response(JSON.stringify(found), { status: 200 });
  }

  private readonly _answers = new Map<string, Responder>();
}
