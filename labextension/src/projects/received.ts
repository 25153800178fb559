/** When what was fetched arrived: its counts of seconds go on from there. */

const TIMES = new WeakMap<object, number>();

/** Note that these have just arrived. */
export function stamp(...received: readonly object[]): void {
  const now = Date.now();
  received.forEach(each => TIMES.set(each, now));
}

/** Seconds between something's arrival and `now`, in ms since the epoch; 0 if it is not known. */
export function ageOf(received: object, now: number): number {
  return Math.max(0, (now - (TIMES.get(received) ?? now)) / 1000);
}
