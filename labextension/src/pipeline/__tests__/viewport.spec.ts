import { beforeEach, describe, expect, it, vi } from 'vitest';

import { NO_STATE, readState } from '../state';
import { Viewport } from '../viewport';

describe('Viewport', () => {
  let viewport: Viewport;

  beforeEach(() => {
    viewport = new Viewport();
    viewport.size = { width: 848, height: 448 };
  });

  it('shows all of a large drawing, and its beginning so that it can be read', () => {
    viewport.content = { width: 8000, height: 1000 };
    viewport.fit(true);
    expect(viewport.zoom).toEqual({ scale: 0.1, x: 24, y: 174 });
    viewport.begin();
    expect(viewport.zoom.scale).toBe(0.55);
    expect(viewport.zoom.x).toBe(24);
  });

  it('does not enlarge a small one', () => {
    viewport.content = { width: 200, height: 100 };
    viewport.fit(true);
    expect(viewport.zoom).toEqual({ scale: 1, x: 324, y: 174 });
  });

  it('zooms about a point, within limits', () => {
    viewport.set({ scale: 1, x: 0, y: 0 }, false);
    viewport.zoomBy(2, { x: 100, y: 50 });
    expect(viewport.zoom).toEqual({ scale: 2, x: -100, y: -50 });
    viewport.zoomBy(100, { x: 100, y: 50 });
    expect(viewport.zoom.scale).toBe(2.5);
    viewport.zoomBy(1e-6);
    expect(viewport.zoom.scale).toBe(0.05);
  });

  it('moves as little as is needed to show a node', () => {
    viewport.set({ scale: 1, x: 0, y: 0 }, false);
    const moved = vi.fn();
    viewport.moved.connect(moved);
    viewport.reveal({ x: 100, y: 100, width: 100, height: 40 }, true);
    expect(moved).not.toHaveBeenCalled();
    viewport.reveal({ x: 900, y: -100, width: 100, height: 40 }, true);
    expect(viewport.zoom).toEqual({ scale: 1, x: -176, y: 124 });
    expect(moved).toHaveBeenLastCalledWith(viewport, true);
  });
});

describe('readState', () => {
  it('reads what was saved, and is as new for the rest', () => {
    const state = {
      view: 'list',
      unfolded: ['dvc.yaml:train'],
      selected: 'prepare',
      zoom: { scale: 0.5, x: 1, y: 2 }
    } as const;
    expect(readState(JSON.parse(JSON.stringify(state)))).toEqual(state);
    expect(readState(null)).toEqual(NO_STATE);
    const odd = { view: 1, unfolded: [1], selected: 2, zoom: { scale: 0 } };
    expect(readState(odd)).toEqual(NO_STATE);
  });
});
