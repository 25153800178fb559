/** How often it is asked for what events may not have told. */
import type { Poll } from '@lumino/polling';

/** Polls that fail become rarer, up to this many ms. */
export const MAX_PAUSE = 300_000;
/** While nothing runs, polls are this many times rarer. */
const IDLE_FACTOR = 6;

/** Poll every `interval` ms while something runs, else more rarely. */
export function setPace(poll: Poll, interval: number, isActive: boolean): void {
  const factor = isActive ? 1 : IDLE_FACTOR;
  const wanted = Math.min(MAX_PAUSE, interval * factor);
  if (poll.frequency.interval !== wanted) {
    poll.frequency = { ...poll.frequency, interval: wanted };
  }
}
