/** Which part of a drawing is seen, and how large. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { IBox } from './layout';

export interface IZoom {
  readonly scale: number;
  /** Where the drawing's upper left corner lies, in px. */
  readonly x: number;
  readonly y: number;
}

interface ISize {
  readonly width: number;
  readonly height: number;
}

const LEAST = 0.05;
const MOST = 2.5;
/** Names can be read from this scale on; what does not fit then begins at its start. */
const LEGIBLE = 0.55;
const MARGIN = 24;
/** One press of a button or key. */
export const STEP = 1.25;

/** Moves without anything being rendered again. */
export class Viewport {
  /** Emitted when it has moved; true if the user has moved it. */
  get moved(): ISignal<this, boolean> {
    return this._moved;
  }

  get zoom(): IZoom {
    return this._zoom;
  }

  /** The size of the window. */
  size: ISize = { width: 0, height: 0 };

  /** The size of the drawing. */
  content: ISize = { width: 0, height: 0 };

  set(zoom: IZoom, isByUser: boolean): void {
    const scale = Math.min(MOST, Math.max(LEAST, zoom.scale));
    this._zoom = { ...zoom, scale };
    this._moved.emit(isByUser);
  }

  /** Show all of it. */
  fit(isByUser: boolean): void {
    this.set(this._fitted(LEAST), isByUser);
  }

  /** Show all of it, or as much of its beginning as can be read. */
  begin(): void {
    this.set(this._fitted(LEGIBLE), false);
  }

  pan(x: number, y: number): void {
    this.set({ ...this._zoom, x: this._zoom.x + x, y: this._zoom.y + y }, true);
  }

  /** Zoom so that a point of the window stays where it is; by default its centre. */
  zoomBy(
    factor: number,
    at?: { readonly x: number; readonly y: number }
  ): void {
    const point = at ?? {
      x: this.size.width / 2,
      y: this.size.height / 2
    };
    const { scale, x, y } = this._zoom;
    const next = Math.min(MOST, Math.max(LEAST, scale * factor));
    const ratio = next / scale;
    this.set(
      {
        scale: next,
        x: point.x - (point.x - x) * ratio,
        y: point.y - (point.y - y) * ratio
      },
      true
    );
  }

  /** Move as little as is needed to see a part of the drawing. */
  reveal(box: IBox, isByUser: boolean): void {
    const { scale, x, y } = this._zoom;
    const { width, height } = this.size;
    const next = {
      scale,
      x: x + shift(x + box.x * scale, box.width * scale, width),
      y: y + shift(y + box.y * scale, box.height * scale, height)
    };
    if (next.x !== x || next.y !== y) {
      this.set(next, isByUser);
    }
  }

  dispose(): void {
    Signal.clearData(this);
  }

  private _fitted(least: number): IZoom {
    const { size, content } = this;
    const width = Math.max(1, size.width - 2 * MARGIN);
    const height = Math.max(1, size.height - 2 * MARGIN);
    const scale = Math.max(
      least,
      Math.min(
        1,
        width / Math.max(1, content.width),
        height / Math.max(1, content.height)
      )
    );
    const place = (space: number, length: number): number =>
      Math.max(MARGIN, (space - length * scale) / 2);
    return {
      scale,
      x: place(size.width, content.width),
      y: place(size.height, content.height)
    };
  }

  private readonly _moved = new Signal<this, boolean>(this);
  private _zoom: IZoom = { scale: 1, x: MARGIN, y: MARGIN };
}

/** How far a length at `start` has to move to lie within `space`. */
function shift(start: number, length: number, space: number): number {
  if (start < MARGIN) {
    return MARGIN - start;
  }
  const over = start + length - (space - MARGIN);
  return over > 0 ? -Math.min(over, start - MARGIN) : 0;
}
