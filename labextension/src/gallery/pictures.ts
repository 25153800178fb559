/** Fetching pictures, a few at a time, as they come into sight. */
import { RequestError } from '../api/request';
import { messageOf } from '../projects/problem';

/** Pictures that are fetched at a time. */
const PARALLEL = 4;

/** `waiting`: nobody has looked at it yet, or its run has not ended. */
export interface IPicture {
  readonly state: 'failed' | 'loading' | 'missing' | 'ready' | 'waiting';
  /** The picture itself. */
  readonly url: string | null;
  readonly message: string | null;
}

const WAITING: IPicture = { state: 'waiting', url: null, message: null };

export class Pictures {
  constructor(private readonly onChange: () => void) {}

  get(key: string): IPicture {
    return this._known.get(key) ?? WAITING;
  }

  /** Fetch a picture soon, unless it is known or being fetched. */
  want(key: string, load: () => Promise<string | null>): void {
    if (this._known.has(key)) {
      return;
    }
    this._known.set(key, { ...WAITING, state: 'loading' });
    this._queue.push({ key, load });
    void this._work();
  }

  /** Forget all; what is still on its way is not wanted any more. */
  clear(): void {
    this._known = new Map();
    this._queue = [];
  }

  private async _work(): Promise<void> {
    if (this._working >= PARALLEL) {
      return;
    }
    this._working += 1;
    for (let next = this._queue.shift(); next; next = this._queue.shift()) {
      const known = this._known;
      known.set(next.key, await fetched(next.load));
      if (known === this._known) {
        this.onChange();
      }
    }
    this._working -= 1;
  }

  private _known = new Map<string, IPicture>();
  private _queue: {
    readonly key: string;
    readonly load: () => Promise<string | null>;
  }[] = [];
  private _working = 0;
}

async function fetched(load: () => Promise<string | null>): Promise<IPicture> {
  try {
    const url = await load();
    return { state: url ? 'ready' : 'missing', url, message: null };
  } catch (error) {
    const isMissing = error instanceof RequestError && error.status === 404;
    return {
      state: isMissing ? 'missing' : 'failed',
      url: null,
      message: messageOf(error)
    };
  }
}
