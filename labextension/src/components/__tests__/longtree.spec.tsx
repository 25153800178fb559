import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import type { MockInstance } from 'vitest';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LongTree } from '../longtree';
import { TreeRow } from '../tree';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const HEIGHT = 40;
/** What is seen of the rows. */
const SEEN = 400;

describe('LongTree', () => {
  let scroller: HTMLElement;
  let root: Root;
  let top: number;
  let layout: MockInstance<Element['getBoundingClientRect']>;
  const onView = vi.fn<(first: number, last: number) => void>();
  const onOpen = vi.fn<(id: string) => void>();

  const render = (count: number, subject = ''): void => {
    act(() => {
      root.render(
        <LongTree
          label="Rows"
          count={count}
          height={HEIGHT}
          subject={subject}
          idOf={index => `row${index}`}
          onView={onView}
          row={index => (
            <TreeRow
              id={`row${index}`}
              level={1}
              isExpanded={null}
              className="jp-test"
              place={{ index, count }}
              onOpen={() => onOpen(`row${index}`)}
            >
              {index}
            </TreeRow>
          )}
        />
      );
    });
  };
  const scrollTo = (to: number): void => {
    act(() => {
      top = to;
      scroller.dispatchEvent(new Event('scroll'));
    });
  };
  const rows = (): readonly string[] =>
    [...scroller.querySelectorAll<HTMLElement>('[role="treeitem"]')].map(
      row => row.dataset.key ?? ''
    );
  /** Go to the first row. */
  const enter = (): void => {
    act(() => {
      scroller.querySelector<HTMLElement>('[data-key="row0"]')?.focus();
    });
  };
  const press = (key: string): void => {
    act(() => {
      document.activeElement?.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true })
      );
    });
  };
  const focused = (): string | undefined =>
    (document.activeElement as HTMLElement).dataset.key;
  const tabbable = (): readonly string[] =>
    [...scroller.querySelectorAll<HTMLElement>('[tabindex="0"]')].map(
      row => row.dataset.key ?? ''
    );

  beforeEach(() => {
    vi.clearAllMocks();
    top = 0;
    scroller = document.body.appendChild(document.createElement('div'));
    scroller.style.overflowY = 'auto';
    scroller.scrollTo = () => {
      top = 0;
    };
    const host = scroller.appendChild(document.createElement('div'));
    // The document of the tests lays nothing out.
    layout = vi.spyOn(Element.prototype, 'getBoundingClientRect');
    layout.mockImplementation(function (this: Element) {
      const y = this === scroller ? 0 : -top;
      return { top: y, height: SEEN } as DOMRect;
    });
    root = createRoot(host);
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    scroller.remove();
    layout.mockRestore();
  });

  it('has as many rows in the document for thousands as for hundreds', () => {
    render(100);
    const few = rows().length;
    render(5000);
    expect(rows()).toHaveLength(few);
    expect(few).toBeLessThan(40);
    expect(
      scroller.querySelector<HTMLElement>('[role="tree"]')?.style.height
    ).toBe('200000px');
  });

  it('shows all rows if there are few', () => {
    render(3);
    expect(rows()).toEqual(['row0', 'row1', 'row2']);
  });

  it('follows the scrolling, and tells what is seen', () => {
    render(5000);
    scrollTo(2000 * HEIGHT);
    expect(rows()).toContain('row2000');
    expect(rows()).not.toContain('row100');
    const [first, last] = onView.mock.lastCall ?? [0, 0];
    expect(first).toBeLessThan(2000);
    expect(last).toBeGreaterThan(2009);
    expect(last - first).toBeLessThan(40);
  });

  it('says which of how many a row is', () => {
    render(5000);
    const row = scroller.querySelector('[data-key="row3"]');
    expect(row?.getAttribute('aria-posinset')).toBe('4');
    expect(row?.getAttribute('aria-setsize')).toBe('5000');
  });

  it('goes to any row by keyboard, and keeps the one that has the focus', () => {
    render(5000);
    enter();
    press('ArrowDown');
    expect(focused()).toBe('row1');
    press('End');
    expect(focused()).toBe('row4999');
    press('ArrowDown');
    expect(focused()).toBe('row4999');
    scrollTo(1000 * HEIGHT);
    expect(focused()).toBe('row4999');
    expect(tabbable()).toEqual(['row4999']);
    press('PageUp');
    expect(Number(focused()?.slice(3))).toBeLessThan(4999);
    press('Home');
    expect(focused()).toBe('row0');
    press('Enter');
    expect(onOpen).toHaveBeenCalledWith('row0');
  });

  it('begins at the top when it is about something else', () => {
    render(5000, 'a');
    scrollTo(3000 * HEIGHT);
    render(50, 'b');
    expect(top).toBe(0);
    expect(rows()).toContain('row0');
    expect(tabbable()).toEqual(['row0']);
  });

  it('stays within the rows when they become fewer', () => {
    render(5000);
    enter();
    press('End');
    scrollTo(4990 * HEIGHT);
    render(10);
    expect(rows().length).toBeGreaterThan(0);
    expect(rows().length).toBeLessThanOrEqual(10);
    expect(tabbable()).toEqual(['row9']);
  });
});
