/** Many rows of one height, of which those alone are in the document that can be seen. */
import type { FocusEvent, KeyboardEvent, ReactElement, RefObject } from 'react';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { ROW, TreeContext } from './tree';

/** Rows beyond the edges that are there already when they come into view. */
const BEYOND = 8;

export interface ILongTreeProps {
  readonly label: string;
  /** Number of all rows. */
  readonly count: number;
  /** Height of a row in px. */
  readonly height: number;
  /** When this changes, it begins at the first row again. */
  readonly subject: string;
  /** Identifies a row. */
  readonly idOf: (index: number) => string;
  /** A `TreeRow` with this id. */
  readonly row: (index: number) => ReactElement;
  /** The rows from `first` on up to `last`, which is not among them, are in view. */
  readonly onView: (first: number, last: number) => void;
}

/** Arrow keys move, Home, End and the page keys jump; the Tab key enters where it was left. */
export function LongTree(props: ILongTreeProps): ReactElement {
  const { count, height, subject, idOf, onView } = props;
  const node = useRef<HTMLDivElement>(null);
  const [last, setLast] = useState({ subject, index: 0 });
  const [first, end] = useView(node, count, height, subject);
  const index = last.subject === subject ? Math.min(last.index, count - 1) : 0;
  const goal = useRef<number | null>(null);
  const active = idOf(index);
  const context = useMemo(() => ({ active }), [active]);

  useEffect(() => onView(first, end), [onView, first, end, subject]);
  useEffect(() => {
    if (goal.current === index) {
      goal.current = null;
      rowAt(node.current, index)?.focus();
    }
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, end - first - 2 * BEYOND);
    const next = target(event.key, index, count, page);
    if (next !== null && next !== index) {
      event.preventDefault();
      event.stopPropagation();
      goal.current = next;
      setLast({ subject, index: next });
    }
  };
  const onFocus = (event: FocusEvent): void => {
    const place = (event.target as HTMLElement).closest<HTMLElement>(
      '[data-index]'
    )?.dataset.index;
    if (place !== undefined) {
      setLast({ subject, index: Number(place) });
    }
  };

  const shown = Array.from({ length: end - first }, (_, at) => first + at);
  if (!shown.includes(index) && index < count) {
    // The row that the Tab key reaches, and that may have the focus.
    shown.push(index);
  }
  return (
    <TreeContext.Provider value={context}>
      {/* The rows take the focus, one at a time. */}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus */}
      <div
        ref={node}
        className="jp-Mlops-tree jp-Mlops-longTree"
        role="tree"
        aria-label={props.label}
        style={{ height: count * height }}
        onKeyDown={onKeyDown}
        onFocus={onFocus}
      >
        {shown.map(each => (
          <div
            key={each}
            role="none"
            data-index={each}
            style={{ top: each * height, height }}
          >
            {props.row(each)}
          </div>
        ))}
      </div>
    </TreeContext.Provider>
  );
}

/** The row that a key leads to, or null. */
function target(
  key: string,
  index: number,
  count: number,
  page: number
): number | null {
  switch (key) {
    case 'ArrowDown':
      return Math.min(count - 1, index + 1);
    case 'ArrowUp':
      return Math.max(0, index - 1);
    case 'PageDown':
      return Math.min(count - 1, index + page);
    case 'PageUp':
      return Math.max(0, index - page);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

function rowAt(tree: HTMLElement | null, index: number): HTMLElement | null {
  return (
    tree?.querySelector<HTMLElement>(`[data-index="${index}"] ${ROW}`) ?? null
  );
}

/** The rows that can be seen, and some beyond them. */
function useView(
  node: RefObject<HTMLElement>,
  count: number,
  height: number,
  subject: string
): readonly [first: number, end: number] {
  const [view, setView] = useState<readonly [number, number]>([0, BEYOND]);
  const looked = useRef(subject);
  useLayoutEffect(() => {
    const scroller = scrollerOf(node.current);
    const look = (): void => {
      if (!node.current || !scroller) {
        return;
      }
      const outside = scroller.getBoundingClientRect();
      const above = outside.top - node.current.getBoundingClientRect().top;
      const first = Math.floor(above / height) - BEYOND;
      const end = Math.ceil((above + outside.height) / height) + BEYOND;
      setView(before =>
        before[0] === first && before[1] === end ? before : [first, end]
      );
    };
    if (looked.current !== subject) {
      looked.current = subject;
      scroller?.scrollTo({ top: 0 });
    }
    look();
    scroller?.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    if (scroller) {
      observer.observe(scroller);
    }
    return () => {
      scroller?.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, [node, count, height, subject]);
  const [first, end] = view;
  const until = Math.min(count, Math.max(end, BEYOND));
  return [Math.max(0, Math.min(first, until - 1)), until];
}

/** What is scrolled when the rows are. */
function scrollerOf(node: HTMLElement | null): HTMLElement | null {
  for (let each = node?.parentElement; each; each = each.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(each).overflowY)) {
      return each;
    }
  }
  return null;
}
