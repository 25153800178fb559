/** A row of tabs, one of which is chosen. */
import type { KeyboardEvent, ReactElement } from 'react';
import { useRef } from 'react';

interface ITabsProps<P extends string> {
  readonly parts: readonly P[];
  readonly shown: P;
  /** What the tabs are about, for screen readers. */
  readonly label: string;
  /** What stands on a part's tab. */
  readonly nameOf: (part: P) => string;
  /** The id of the element that a tab shows. */
  readonly idOf: (part: P) => string;
  readonly onShow: (part: P) => void;
}

/** Which part is shown. Arrow keys go from one to the next. */
export function Tabs<P extends string>(props: ITabsProps<P>): ReactElement {
  const { parts, shown, label, nameOf, idOf, onShow } = props;
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const part = parts.at((parts.indexOf(shown) + (step ?? 0)) % parts.length);
    if (step !== undefined && part) {
      event.preventDefault();
      onShow(part);
      list.current
        ?.querySelector<HTMLElement>(`[data-part="${part}"]`)
        ?.focus();
    }
  };
  return (
    <div ref={list} className="jp-Mlops-tabs" role="tablist" aria-label={label}>
      {parts.map(part => (
        <button
          key={part}
          role="tab"
          data-part={part}
          aria-selected={part === shown}
          aria-controls={idOf(part)}
          tabIndex={part === shown ? 0 : -1}
          onClick={() => onShow(part)}
          onKeyDown={onKeyDown}
        >
          {nameOf(part)}
        </button>
      ))}
    </div>
  );
}
