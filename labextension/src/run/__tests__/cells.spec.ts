import type * as nbformat from '@jupyterlab/nbformat';
import { describe, expect, it } from 'vitest';

import { anAttempt, aRun, aTail } from '../../__tests__/samples';
import type { ICellsInput } from '../cells';
import { buildCells, writtenCells } from '../cells';

type CodeCell = Pick<
  nbformat.ICodeCell,
  'cell_type' | 'metadata' | 'outputs' | 'source'
>;

function states(given: Partial<ICellsInput>): string[] {
  return cells(given).map(cell => cell.state);
}
function cells(given: Partial<ICellsInput>): ReturnType<typeof buildCells> {
  return buildCells({
    run: aRun({ cells: 4 }),
    attempt: null,
    tail: null,
    age: 0,
    written: [],
    ...given
  });
}
const FAILED = aRun({ status: 'failed', cell: 3, cells: 4 });

describe('the timeline', () => {
  it('tells what has run, what runs and what waits', () => {
    const tail = aTail({ cell: 3, cells: 4, cell_times: [1, 2] });
    expect(states({ tail })).toEqual([
      'succeeded',
      'succeeded',
      'running',
      'waiting'
    ]);
  });

  it('has no running cell between two cells', () => {
    const tail = aTail({ cell: 2, cells: 4, cell_times: [1, 2] });
    expect(states({ tail })).toEqual([
      'succeeded',
      'succeeded',
      'waiting',
      'waiting'
    ]);
  });

  it('marks the cell that failed; those after it were not run', () => {
    const attempt = anAttempt({ failed_cell: 3, cell_times: [1, 2, 4] });
    expect(states({ run: FAILED, attempt })).toEqual([
      'succeeded',
      'succeeded',
      'failed',
      'waiting'
    ]);
    const unknown = anAttempt({ failed_cell: 3, cell_times: null });
    expect(states({ run: FAILED, attempt: unknown })).toEqual(
      states({ run: FAILED, attempt })
    );
  });

  it('tells which outputs a retry from a cell has kept', () => {
    const run = aRun({ status: 'succeeded', cells: 3 });
    const attempt = anAttempt({ resumed_at: 3, cell_times: [1, 2, 3] });
    expect(states({ run, attempt })).toEqual(['kept', 'kept', 'succeeded']);
  });

  it('has bars in proportion to the slowest cell, the running one growing', () => {
    const tail = aTail({
      cell: 3,
      cells: 4,
      cell_elapsed: 6,
      cell_times: [2, 4]
    });
    const shown = cells({ tail, age: 2 });
    expect(shown.map(cell => cell.seconds)).toEqual([2, 4, 8, null]);
    expect(shown.map(cell => cell.share)).toEqual([0.25, 0.5, 1, 0]);
  });

  it('says what each cell is about by its first line of code', () => {
    const written = writtenCells({
      cells: [
        { cell_type: 'markdown', source: '# Title', metadata: {} },
        code(['# Load\n', '\n', 'x = 1']),
        code('# nothing but a comment'),
        code('')
      ],
      metadata: {},
      nbformat: 4,
      nbformat_minor: 5
    });
    const run = aRun({ cells: null });
    expect(cells({ run, written }).map(cell => cell.title)).toEqual([
      'x = 1',
      '# nothing but a comment',
      ''
    ]);
  });
});

function code(source: string | string[]): CodeCell {
  return { cell_type: 'code', source, metadata: {}, outputs: [] };
}
