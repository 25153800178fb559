/** What a gallery's tab remembers, and where its pictures come from. */

import { isImageType } from '../artifacts/kinds';

/** A picture of each run: a file that it kept, or what a code cell has drawn, from 1. */
export type Source =
  | { readonly kind: 'file'; readonly path: string; readonly type: string }
  | { readonly kind: 'cell'; readonly cell: number };

/** How large pictures are. */
export const SIZES = ['small', 'medium', 'large'] as const;
export type Size = (typeof SIZES)[number];

export interface IGalleryState {
  /** Null means the first that there is. */
  readonly source: Source | null;
  readonly size: Size;
}

export const NO_STATE: IGalleryState = { source: null, size: 'medium' };

/** Identifies a source among others. */
export function sourceKey(source: Source): string {
  return source.kind === 'file'
    ? `file:${source.path}`
    : `cell:${String(source.cell)}`;
}

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): IGalleryState {
  const { source, size } = record(saved);
  return {
    source: readSource(record(source)),
    size: SIZES.find(each => each === size) ?? NO_STATE.size
  };
}

function readSource({
  kind,
  path,
  type,
  cell
}: Readonly<Record<string, unknown>>): Source | null {
  if (kind === 'file' && typeof path === 'string' && isPicture(type)) {
    return { kind, path, type };
  }
  return kind === 'cell' && Number.isInteger(cell)
    ? { kind, cell: cell as number }
    : null;
}

function isPicture(type: unknown): type is string {
  return typeof type === 'string' && isImageType(type);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
