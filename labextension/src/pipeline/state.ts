/** What a pipeline's tab remembers. */
import type { IZoom } from './viewport';

export interface IPipelineState {
  readonly view: 'graph' | 'list';
  /** Keys of the groups whose stages are drawn one by one. */
  readonly unfolded: readonly string[];
  /** Key of the stage or group whose sheet is open, or null. */
  readonly selected: string | null;
  /** Null means what fits. */
  readonly zoom: IZoom | null;
}

export const NO_STATE: IPipelineState = {
  view: 'graph',
  unfolded: [],
  selected: null,
  zoom: null
};

/** Read a saved state; whatever is not understood is as in a new tab. */
export function readState(saved: unknown): IPipelineState {
  const { view, unfolded, selected, zoom } = record(saved);
  const { scale, x, y } = record(zoom);
  return {
    view: view === 'list' ? 'list' : 'graph',
    unfolded: Array.isArray(unfolded)
      ? unfolded.filter(each => typeof each === 'string')
      : [],
    selected: typeof selected === 'string' ? selected : null,
    zoom:
      isNumber(scale) && isNumber(x) && isNumber(y) && scale > 0
        ? { scale, x, y }
        : null
  };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
