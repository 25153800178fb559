/** What a tab of compared runs remembers. */

/** What is shown of them. */
export const PARTS = ['table', 'curves', 'parallel', 'cells'] as const;
export type Part = (typeof PARTS)[number];

export interface ICompareState {
  readonly part: Part;
  /** The metric whose curves are drawn; null means the first one. */
  readonly metric: string | null;
  /** The runs whose notebooks are compared; null means the first two. */
  readonly left: string | null;
  readonly right: string | null;
}

export const NO_STATE: ICompareState = {
  part: 'table',
  metric: null,
  left: null,
  right: null
};

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): ICompareState {
  const { part, metric, left, right } = (
    typeof saved === 'object' && saved !== null ? saved : {}
  ) as Readonly<Record<string, unknown>>;
  const text = (value: unknown): string | null =>
    typeof value === 'string' ? value : null;
  return {
    part: PARTS.find(each => each === part) ?? NO_STATE.part,
    metric: text(metric),
    left: text(left),
    right: text(right)
  };
}
