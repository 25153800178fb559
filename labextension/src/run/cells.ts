/** The cells of a run as a timeline: how each went, and how long it took. */
import type { INotebookContent, IOutput } from '@jupyterlab/nbformat';

import type { AttemptView, RunView, TailView } from '../api/types';

/** `kept`: its outputs are those of an earlier attempt, as the retry went on behind it. */
export type CellState = 'succeeded' | 'kept' | 'running' | 'failed' | 'waiting';

/** A code cell of a notebook that a run has written. */
export interface IWrittenCell {
  readonly source: string;
  readonly outputs: readonly IOutput[];
}

export interface ICell {
  /** From 1, among the code cells. */
  readonly number: number;
  readonly state: CellState;
  /** What it took, or takes so far; null if that is not known. */
  readonly seconds: number | null;
  /** `seconds` as a part of what the slowest cell took, from 0 to 1. */
  readonly share: number;
  /** The first line that says something; empty if the notebook is not known yet. */
  readonly title: string;
}

export interface ICellsInput {
  readonly run: RunView;
  readonly attempt: AttemptView | null;
  /** What a running run is doing. */
  readonly tail: TailView | null;
  /** Seconds since the tail arrived. */
  readonly age: number;
  readonly written: readonly IWrittenCell[];
}

/** The code cells of a notebook. */
export function writtenCells(
  notebook: INotebookContent
): readonly IWrittenCell[] {
  return notebook.cells
    .filter(cell => cell.cell_type === 'code')
    .map(cell => ({
      source: Array.isArray(cell.source) ? cell.source.join('') : cell.source,
      outputs: Array.isArray(cell.outputs) ? (cell.outputs as IOutput[]) : []
    }));
}

/** The timeline from the first cell to the last one. */
export function buildCells(input: ICellsInput): readonly ICell[] {
  const { run, tail, written } = input;
  const times = cellTimes(input);
  const count = Math.max(
    tail?.cells ?? 0,
    run.cells ?? 0,
    written.length,
    times.length
  );
  const seconds = Array.from({ length: count }, (_, index) =>
    index + 1 === currentCell(input)
      ? (tail?.cell_elapsed ?? 0) + input.age
      : (times[index] ?? null)
  );
  const most = Math.max(0, ...seconds.map(each => each ?? 0));
  return seconds.map((each, index) => ({
    number: index + 1,
    state: stateOf(index + 1, times.length, input),
    seconds: each,
    share: each === null || most === 0 ? 0 : each / most,
    title: titleOf(written[index]?.source ?? '')
  }));
}

/** The cell that is being executed. */
export function currentCell(input: ICellsInput): number | null {
  const { run, tail } = input;
  if (run.status !== 'running' || tail === null) {
    return null;
  }
  return tail.cell !== null && tail.cell > tail.cell_times.length
    ? tail.cell
    : null;
}

/** The cell at which a run failed. */
export function failedCell(input: ICellsInput): number | null {
  const { run, attempt } = input;
  return run.status === 'failed' ? (attempt?.failed_cell ?? run.cell) : null;
}

function cellTimes({ run, attempt, tail }: ICellsInput): readonly number[] {
  return run.status === 'running'
    ? (tail?.cell_times ?? [])
    : (attempt?.cell_times ?? []);
}

function stateOf(number: number, ended: number, input: ICellsInput): CellState {
  const failed = failedCell(input);
  if (number === failed) {
    return 'failed';
  }
  if (number === currentCell(input)) {
    return 'running';
  }
  const hasEnded =
    input.run.status === 'succeeded' ||
    number <= ended ||
    (failed !== null && number < failed);
  if (!hasEnded) {
    return 'waiting';
  }
  return number < (input.attempt?.resumed_at ?? 0) ? 'kept' : 'succeeded';
}

/** The first line with more than a comment, else the first one with anything. */
function titleOf(source: string): string {
  const lines = source.split('\n').map(line => line.trim());
  return (
    lines.find(line => line !== '' && !line.startsWith('#')) ??
    lines.find(line => line !== '') ??
    ''
  );
}
