/** What the states of runs and sweeps mean. */
import type { Status } from './api/types';

/** Whether nothing more will happen. */
export function isFinished(status: Status): boolean {
  return status !== 'queued' && status !== 'running';
}

/** Whether it can be run again. */
export function canRetry(status: Status): boolean {
  return status === 'failed' || status === 'cancelled';
}
