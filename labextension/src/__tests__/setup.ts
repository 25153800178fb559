/** What the tests' document lacks compared with a browser's; and warnings fail tests. */
import { afterEach, beforeEach, expect, vi } from 'vitest';

class SilentObserver {
  observe(): void {
    return;
  }
  unobserve(): void {
    return;
  }
  disconnect(): void {
    return;
  }
}

Object.assign(globalThis, {
  // Lumino's widgets name these classes when they are loaded.
  DragEvent: class DragEvent extends MouseEvent {},
  ResizeObserver: SilentObserver,
  IntersectionObserver: SilentObserver,
  // JupyterLab's web components ask for the colour scheme.
  matchMedia: () => ({ matches: false, addListener: () => undefined }),
  requestIdleCallback: (callback: () => void) => setTimeout(callback),
  CSS: { escape: (text: string) => text }
});

Element.prototype.scrollIntoView = () => undefined;

beforeEach(() => {
  vi.spyOn(console, 'error');
  vi.spyOn(console, 'warn');
});

afterEach(() => {
  expect(console.error).not.toHaveBeenCalled();
  expect(console.warn).not.toHaveBeenCalled();
});
