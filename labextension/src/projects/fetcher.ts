/** Fetches what changed in a project into its entities. */
import type { MlopsClient } from '../api/client';
import { RequestError } from '../api/request';
import type { SweepView } from '../api/types';
import type { Entities } from './entities';
import type { Pending } from './pending';

/** More changed things than this are fetched as one list. */
export const MANY = 5;

/** Each method answers with the sweeps that were seen to end. */
export class Fetcher {
  constructor(
    private readonly client: MlopsClient,
    private readonly project: string,
    private readonly entities: Entities,
    /** Whether the runs of a sweep are wanted too. */
    private readonly isWatched: (sweep: string) => boolean
  ) {}

  async status(): Promise<void> {
    this.entities.status = await this.client.status(this.project);
  }

  /** Fetch the registered models; the worker may need seconds for the first answer. */
  async models(): Promise<readonly SweepView[]> {
    this.entities.models = await this.client.models(this.project);
    return [];
  }

  /** Fetch the newest `limit` sweeps, and the runs of the sweeps `watched`. */
  async all(
    limit: number,
    watched: readonly string[]
  ): Promise<readonly SweepView[]> {
    this.entities.beginList();
    const sweeps = await this.client.sweeps(this.project, limit);
    const ended = this.entities.list(sweeps);
    this.entities.hasMore = sweeps.length >= limit;
    const more = await Promise.all(watched.map(id => this.sweep(id, null)));
    return [...ended, ...more.flat()];
  }

  /** Fetch what events have named. */
  async changes(pending: Pending): Promise<readonly SweepView[]> {
    pending.gone.forEach(id => this.entities.removeSweep(id));
    const sweeps = [...pending.sweeps]
      .filter(id => !pending.gone.has(id))
      .map(id => this.sweep(id, [...(pending.runs.get(id) ?? [])]));
    const [ended] = await Promise.all([
      Promise.all(sweeps),
      pending.models ? this.models() : null,
      this.status()
    ]);
    return ended.flat();
  }

  /** Fetch a sweep and, if it is watched, the runs `ids`, or all of them if that is null. */
  async sweep(
    id: string,
    ids: readonly string[] | null
  ): Promise<readonly SweepView[]> {
    const sweep = await orMissing(this.client.sweep(this.project, id));
    if (sweep === null) {
      this.entities.removeSweep(id);
      return [];
    }
    const hasEnded = this.entities.putSweep(sweep);
    if (this.isWatched(id)) {
      await this._runs(sweep, ids);
    }
    return hasEnded ? [sweep] : [];
  }

  private async _runs(
    sweep: SweepView,
    ids: readonly string[] | null
  ): Promise<void> {
    // If the number differs, some were deleted.
    const isKnown = this.entities.runs(sweep.id)?.length === sweep.total;
    if (isKnown && ids && ids.length <= MANY) {
      await Promise.all(ids.map(id => this._run(sweep.id, id)));
    } else {
      const runs = await this.client.runs(this.project, sweep.id);
      this.entities.putRuns(sweep.id, runs);
    }
  }

  private async _run(sweep: string, id: string): Promise<void> {
    const detail = await orMissing(this.client.run(this.project, id));
    if (detail === null) {
      this.entities.removeRun(sweep, id);
    } else {
      this.entities.putRun(sweep, detail.run);
    }
  }
}

/** The answer, or null if there is no such thing any more. */
async function orMissing<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    // A project that is not found is another matter.
    if (
      error instanceof RequestError &&
      error.code === 'not_found' &&
      error.field !== 'project'
    ) {
      return null;
    }
    throw error;
  }
}
