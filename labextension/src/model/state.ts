/** What a model version's tab remembers. */

/** What stands below the head. */
export const PARTS = ['card', 'lineage', 'comparison', 'try'] as const;
export type Part = (typeof PARTS)[number];

export interface IModelState {
  readonly part: Part;
  /** The version that it is compared with; null for the one before it. */
  readonly other: number | null;
}

export const NO_STATE: IModelState = { part: 'card', other: null };

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): IModelState {
  const { part, other } = (
    typeof saved === 'object' && saved !== null ? saved : {}
  ) as Partial<Record<keyof IModelState, unknown>>;
  return {
    part: PARTS.find(each => each === part) ?? NO_STATE.part,
    other: typeof other === 'number' ? other : null
  };
}
