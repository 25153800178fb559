import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Tree, TreeRow } from '../tree';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

describe('Tree', () => {
  let host: HTMLElement;
  let root: Root;
  const calls = {
    open: vi.fn<(id: string) => void>(),
    expand: vi.fn<(id: string, isExpanded: boolean) => void>(),
    select: vi.fn<(id: string) => void>(),
    menu: vi.fn<(id: string) => void>(),
    remove: vi.fn<(id: string) => void>()
  };

  const row = (id: string): HTMLElement => {
    const found = host.querySelector<HTMLElement>(`[data-key="${id}"]`);
    if (!found) {
      throw new Error(`There is no row ${id}.`);
    }
    return found;
  };
  const press = (key: string, more: KeyboardEventInit = {}): void => {
    act(() => {
      const event = { key, bubbles: true, cancelable: true, ...more };
      document.activeElement?.dispatchEvent(
        new KeyboardEvent('keydown', event)
      );
    });
  };
  const focused = (): string | undefined =>
    (document.activeElement as HTMLElement).dataset.key;

  beforeEach(() => {
    vi.clearAllMocks();
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
    const rows = [
      ['a', 1, true],
      ['a1', 2, null],
      ['a2', 2, null],
      ['b', 1, false]
    ] as const;
    act(() => {
      root.render(
        <Tree label="Runs" keys={rows.map(([key]) => key)}>
          {rows.map(([id, level, isExpanded]) => (
            <TreeRow
              key={id}
              id={id}
              level={level}
              isExpanded={isExpanded}
              className="jp-test"
              onOpen={() => calls.open(id)}
              onExpand={expanded => calls.expand(id, expanded)}
              onSelect={() => calls.select(id)}
              onMenu={() => calls.menu(id)}
              onDelete={() => calls.remove(id)}
            >
              {id}
            </TreeRow>
          ))}
        </Tree>
      );
    });
    act(() => row('a').focus());
  });
  afterEach(() => {
    act(() => root.unmount());
    host.remove();
  });

  it('is reached by Tab at one row only, the one that was last used', () => {
    const reachable = (): (string | undefined)[] =>
      [...host.querySelectorAll<HTMLElement>('[tabindex="0"]')].map(
        each => each.dataset.key
      );
    expect(reachable()).toEqual(['a']);
    press('ArrowDown');
    expect(reachable()).toEqual(['a1']);
  });

  it('is walked through by arrows, Home and End', () => {
    press('ArrowDown');
    press('ArrowDown');
    expect(focused()).toBe('a2');
    press('ArrowUp');
    expect(focused()).toBe('a1');
    press('End');
    expect(focused()).toBe('b');
    press('Home');
    expect(focused()).toBe('a');
    expect(calls.select).toHaveBeenLastCalledWith('a');
  });

  it('goes into a sweep and out of it, and folds it', () => {
    press('ArrowRight');
    expect(focused()).toBe('a1');
    press('ArrowDown');
    press('ArrowLeft');
    expect(focused()).toBe('a');
    press('ArrowLeft');
    expect(calls.expand).toHaveBeenLastCalledWith('a', false);
    press('End');
    press('ArrowRight');
    expect(calls.expand).toHaveBeenLastCalledWith('b', true);
    press(' ');
    expect(calls.expand).toHaveBeenCalledTimes(3);
  });

  it('opens with Enter and asks to delete with Delete', () => {
    press('Enter');
    expect(calls.open).toHaveBeenCalledWith('a');
    press('Delete');
    expect(calls.remove).toHaveBeenCalledWith('a');
  });

  it('opens the menu of a row by key, as a right click does', () => {
    const menus: (EventTarget | null)[] = [];
    const listen = (event: Event): void => {
      menus.push(event.target);
    };
    document.addEventListener('contextmenu', listen);
    press('ContextMenu');
    press('F10', { shiftKey: true });
    press('F10');
    document.removeEventListener('contextmenu', listen);
    expect(menus).toEqual([row('a'), row('a')]);
    expect(calls.menu).toHaveBeenCalledTimes(2);
  });

  it('folds by a click on the caret without opening', () => {
    const caret = row('b').querySelector<HTMLElement>('.jp-Mlops-caret');
    act(() => caret?.click());
    expect(calls.expand).toHaveBeenCalledWith('b', true);
    expect(calls.open).not.toHaveBeenCalled();
  });

  it('tells levels and folding to screen readers', () => {
    expect(row('a').getAttribute('aria-expanded')).toBe('true');
    expect(row('b').getAttribute('aria-expanded')).toBe('false');
    expect(row('a1').hasAttribute('aria-expanded')).toBe(false);
    expect(row('a1').getAttribute('aria-level')).toBe('2');
  });
});
