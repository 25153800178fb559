/** What an endpoint's tab remembers. */

/** What stands below the head. */
export const PARTS = ['try', 'monitoring', 'log'] as const;
export type Part = (typeof PARTS)[number];

export interface IEndpointState {
  readonly part: Part;
}

export const NO_STATE: IEndpointState = { part: 'try' };

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): IEndpointState {
  const part: unknown =
    typeof saved === 'object' && saved !== null && 'part' in saved
      ? saved.part
      : null;
  return { part: PARTS.find(each => each === part) ?? NO_STATE.part };
}
