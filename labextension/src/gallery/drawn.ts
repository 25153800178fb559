/** Pictures in the outputs of notebooks. */
import type { IOutput } from '@jupyterlab/nbformat';

import type { IWrittenCell } from '../run/cells';

const TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'] as const;
const SVG = 'image/svg+xml';

/** The code cells that have drawn something, from 1. */
export function drawingCells(
  cells: readonly IWrittenCell[]
): readonly number[] {
  return cells.flatMap((cell, index) => (drawnIn(cell) ? [index + 1] : []));
}

/** The last picture that a cell has drawn, as an address that holds it. */
export function drawnIn(cell: IWrittenCell | undefined): string | null {
  const found = cell?.outputs.map(pictureOf).filter(each => each !== null);
  return found?.at(-1) ?? null;
}

function pictureOf(output: IOutput): string | null {
  const data = output.data;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return null;
  }
  return pictureIn(data);
}

/** The picture among the forms of an output, by their types; in an image no script runs. */
export function pictureIn(
  bundle: Readonly<Record<string, unknown>>
): string | null {
  for (const type of TYPES) {
    const text = textOf(bundle[type]).replace(/\s/g, '');
    if (/^[A-Za-z0-9+/]+={0,2}$/.test(text)) {
      return `data:${type};base64,${text}`;
    }
  }
  const drawing = textOf(bundle[SVG]);
  return drawing ? `data:${SVG},${encodeURIComponent(drawing)}` : null;
}

function textOf(value: unknown): string {
  return Array.isArray(value)
    ? value.join('')
    : typeof value === 'string'
      ? value
      : '';
}
