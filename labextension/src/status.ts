/** What the states of runs and sweeps mean. */
import type { RunView, StageState, Status, SweepView } from './api/types';

/** Whether nothing more will happen. */
export function isFinished(status: Status): boolean {
  return status !== 'queued' && status !== 'running';
}

/** Whether it can be run again. */
export function canRetry(status: Status): boolean {
  return status === 'failed' || status === 'cancelled';
}

/** Whether more will happen to a stage. */
export function isPending(state: StageState): boolean {
  return state === 'stale' || state === 'queued' || state === 'running';
}

/** What people call a state: a run that was pruned is a cancelled one, on purpose. */
export type State = Status | 'pruned';

/** The state of a run. */
export function runState(run: RunView): State {
  return run.reason === 'pruned' ? 'pruned' : run.status;
}

/** Number of runs in a state. */
export function countOf(state: State, counts: SweepView['counts']): number {
  return state === 'cancelled'
    ? counts.cancelled - counts.pruned
    : counts[state];
}

/** Number of runs that another try of the whole sweep includes. */
export function retryCount(counts: SweepView['counts']): number {
  return counts.failed + countOf('cancelled', counts);
}
