/** What a run's tab remembers. */

/** What stands at the right. */
export const PARTS = ['outputs', 'metrics', 'artifacts', 'context'] as const;
export type Part = (typeof PARTS)[number];

export interface IRunState {
  readonly part: Part;
}

export const NO_STATE: IRunState = { part: 'outputs' };

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): IRunState {
  const part: unknown =
    typeof saved === 'object' && saved !== null && 'part' in saved
      ? saved.part
      : null;
  return { part: PARTS.find(each => each === part) ?? NO_STATE.part };
}
