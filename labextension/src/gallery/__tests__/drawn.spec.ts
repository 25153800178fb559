import type { IOutput } from '@jupyterlab/nbformat';
import { describe, expect, it } from 'vitest';

import { drawingCells, drawnIn } from '../drawn';

const cell = (
  ...bundles: readonly IOutput['data'][]
): { source: string; outputs: IOutput[] } => ({
  source: '',
  outputs: bundles.map(data => ({ output_type: 'display_data', data }))
});

describe('drawnIn', () => {
  it('takes the last picture of a cell', () => {
    const found = cell(
      { 'image/png': 'AQ==\n' },
      { 'text/plain': 'x' },
      { 'image/png': ['Ag', '=='] },
      { 'text/html': '<b>x</b>' }
    );
    expect(drawnIn(found)).toBe('data:image/png;base64,Ag==');
  });

  it('takes drawings as pictures, in which nothing runs', () => {
    const svg = '<svg onload="alert(1)"></svg>';
    expect(drawnIn(cell({ 'image/svg+xml': svg }))).toBe(
      `data:image/svg+xml,${encodeURIComponent(svg)}`
    );
  });

  it('takes nothing that is no base64', () => {
    expect(drawnIn(cell({ 'image/png': '"><script>' }))).toBeNull();
    expect(drawnIn(cell())).toBeNull();
    expect(drawnIn(undefined)).toBeNull();
  });

  it('counts the cells that have drawn something', () => {
    const cells = [cell(), cell({ 'image/png': 'AQ==' }), cell({ a: 'b' })];
    expect(drawingCells(cells)).toEqual([2]);
  });
});
