/** What events say has changed, gathered until it is fetched. */
import type { EventView } from '../api/types';

/** The things that changed since the last fetch. */
export class Pending {
  readonly sweeps = new Set<string>();
  /** Sweeps that were deleted. */
  readonly gone = new Set<string>();
  /** Changed runs by sweep. */
  readonly runs = new Map<string, Set<string>>();
  /** Sweeps with new values of metrics. */
  readonly metrics = new Set<string>();
  models = false;
  isEmpty = true;

  add(event: EventView): void {
    this.isEmpty = false;
    if (event.kind === 'model') {
      this.models = true;
    }
    if (event.sweep_id === null) {
      return;
    }
    if (event.kind === 'sweep' && event.data.deleted === true) {
      this.gone.add(event.sweep_id);
    }
    this.sweeps.add(event.sweep_id);
    if (event.kind === 'metrics') {
      this.metrics.add(event.sweep_id);
    }
    if (event.run_id !== null) {
      const runs = this.runs.get(event.sweep_id) ?? new Set();
      this.runs.set(event.sweep_id, runs.add(event.run_id));
    }
  }
}
