/** Rows that can be walked through by keyboard, as a tree. */
import type {
  FocusEvent,
  KeyboardEvent,
  MouseEvent,
  ReactElement,
  ReactNode
} from 'react';
import { createContext, useContext, useMemo, useRef, useState } from 'react';

export const ROW = '[role="treeitem"]';

interface ITreeContext {
  /** The row that the Tab key reaches. */
  readonly active: string | null;
}

/** What rows know of the tree that they are in. */
export const TreeContext = createContext<ITreeContext>({ active: null });

export interface ITreeProps {
  readonly label: string;
  /** Keys of the rows from top to bottom. */
  readonly keys: readonly string[];
  readonly children: ReactNode;
}

/** Arrow keys move, Home and End jump; the Tab key enters at the row that was last used. */
export function Tree(props: ITreeProps): ReactElement {
  const [last, setLast] = useState<string | null>(null);
  const node = useRef<HTMLDivElement>(null);
  const active =
    last !== null && props.keys.includes(last) ? last : (props.keys[0] ?? null);
  const context = useMemo(() => ({ active }), [active]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const rows = [...(node.current?.querySelectorAll<HTMLElement>(ROW) ?? [])];
    const row = (event.target as HTMLElement).closest<HTMLElement>(ROW);
    const index = row ? rows.indexOf(row) : -1;
    const next = row && target(event.key, rows, index);
    if (next) {
      event.preventDefault();
      event.stopPropagation();
      next.focus();
    }
  };
  const onFocus = (event: FocusEvent): void => {
    const row = (event.target as HTMLElement).closest<HTMLElement>(ROW);
    setLast(row?.dataset.key ?? null);
  };

  return (
    <TreeContext.Provider value={context}>
      {/* The rows take the focus, one at a time. */}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus */}
      <div
        ref={node}
        className="jp-Mlops-tree"
        role="tree"
        aria-label={props.label}
        onKeyDown={onKeyDown}
        onFocus={onFocus}
      >
        {props.children}
      </div>
    </TreeContext.Provider>
  );
}

/** The row that a key leads to, if it leads to another one. */
function target(
  key: string,
  rows: readonly HTMLElement[],
  index: number
): HTMLElement | undefined {
  switch (key) {
    case 'ArrowDown':
      return rows[index + 1];
    case 'ArrowUp':
      return rows[index - 1];
    case 'Home':
      return rows[0];
    case 'End':
      return rows.at(-1);
    case 'ArrowLeft':
      return rows
        .slice(0, index)
        .findLast(each => levelOf(each) < levelOf(rows[index]));
    case 'ArrowRight':
      return levelOf(rows[index + 1]) > levelOf(rows[index])
        ? rows[index + 1]
        : undefined;
    default:
      return undefined;
  }
}

function levelOf(row: HTMLElement | undefined): number {
  return Number(row?.getAttribute('aria-level') ?? 0);
}

export interface ITreeRowProps {
  /** Identifies the row among all. */
  readonly id: string;
  /** 1 for the outermost. */
  readonly level: number;
  /** Null if there is nothing below it. */
  readonly isExpanded: boolean | null;
  /** Further classes; context menus select by them. */
  readonly className: string;
  readonly data?: Readonly<Record<`data-${string}`, string>>;
  readonly title?: string;
  /** What a screen reader says; by default all that is in the row. */
  readonly label?: string;
  /** What stands before the caret. */
  readonly lead?: ReactNode;
  /** Its place among rows of which some are not in the document. */
  readonly place?: { readonly index: number; readonly count: number };
  readonly children: ReactNode;
  readonly onOpen: () => void;
  readonly onExpand?: (isExpanded: boolean) => void;
  /** The row got the focus. */
  readonly onSelect?: () => void;
  /** The row's menu is about to open. */
  readonly onMenu?: () => void;
  readonly onDelete?: () => void;
}

/** A row: a click or Enter opens it, the context-menu key or Shift+F10 opens its menu. */
export function TreeRow(props: ITreeRowProps): ReactElement {
  const { active } = useContext(TreeContext);
  const { id, level, isExpanded, onExpand, place } = props;

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const action = rowAction(event, props);
    if (action) {
      event.preventDefault();
      event.stopPropagation();
      action();
    }
  };
  const onCaret = (event: MouseEvent): void => {
    event.stopPropagation();
    onExpand?.(!isExpanded);
  };

  return (
    <div
      {...props.data}
      className={`jp-Mlops-row ${props.className}`}
      role="treeitem"
      aria-level={level}
      aria-selected={id === active}
      {...(isExpanded !== null && { 'aria-expanded': isExpanded })}
      {...(place && {
        'aria-posinset': place.index + 1,
        'aria-setsize': place.count
      })}
      data-key={id}
      tabIndex={id === active ? 0 : -1}
      title={props.title}
      aria-label={props.label}
      onClick={props.onOpen}
      onContextMenu={props.onMenu}
      onFocus={props.onSelect}
      onKeyDown={onKeyDown}
    >
      {props.lead}
      {(level === 1 || isExpanded !== null) && onExpand && (
        // The keyboard expands with the arrow keys.
        <span
          className="jp-Mlops-caret"
          role="presentation"
          data-expanded={isExpanded ?? undefined}
          onClick={isExpanded === null ? undefined : onCaret}
        />
      )}
      {props.children}
    </div>
  );
}

function rowAction(
  event: KeyboardEvent<HTMLElement>,
  props: ITreeRowProps
): (() => void) | undefined {
  const { isExpanded, onExpand } = props;
  const node = event.currentTarget;
  switch (event.key) {
    case 'Enter':
      return props.onOpen;
    case ' ':
      return isExpanded === null ? props.onOpen : () => onExpand?.(!isExpanded);
    case 'ArrowRight':
      return isExpanded === false ? () => onExpand?.(true) : undefined;
    case 'ArrowLeft':
      return isExpanded === true ? () => onExpand?.(false) : undefined;
    case 'Delete':
      return props.onDelete;
    case 'ContextMenu':
      return () => openMenu(node);
    case 'F10':
      return event.shiftKey ? () => openMenu(node) : undefined;
    default:
      return undefined;
  }
}

/** The row whose menu was opened by a key. */
let opener: HTMLElement | SVGElement | null = null;

/** Go back to the row whose menu was opened by a key, unless the focus has gone elsewhere. */
export function returnFromMenu(): void {
  if (document.activeElement === document.body) {
    opener?.focus({ preventScroll: true });
  }
  opener = null;
}

/** Open the context menu of a row as a right click on its first line does. */
export function openMenu(node: HTMLElement | SVGElement): void {
  opener = node;
  const { left, top, height } = node.getBoundingClientRect();
  node.dispatchEvent(
    new window.MouseEvent('contextmenu', {
      bubbles: true,
      cancelable: true,
      clientX: left + 24,
      clientY: top + Math.min(height, 20)
    })
  );
}
