/** A row of tabs, one of which is chosen. */
import type { ISignal } from '@lumino/signaling';
import type { KeyboardEvent, ReactElement } from 'react';
import { useRef } from 'react';

import { useSignal } from './hooks';

/** What is shown in parts, one at a time. */
interface IParted<P extends string> {
  readonly changed: ISignal<unknown, void>;
  readonly part: P;
  show(part: P): void;
}

interface ITabsProps<P extends string> {
  readonly model: IParted<P>;
  readonly parts: readonly P[];
  /** What the tabs are about, for screen readers. */
  readonly label: string;
  /** What stands on a part's tab. */
  readonly nameOf: (part: P) => string;
  /** The id of the element that a tab shows. */
  readonly idOf: (part: P) => string;
}

/** Which part is shown. Arrow keys go from one to the next. */
export function Tabs<P extends string>(props: ITabsProps<P>): ReactElement {
  const { model, parts, label, nameOf, idOf } = props;
  const { part: shown } = model;
  useSignal(model.changed);
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const part = parts.at((parts.indexOf(shown) + (step ?? 0)) % parts.length);
    if (step !== undefined && part) {
      event.preventDefault();
      model.show(part);
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
          onClick={() => model.show(part)}
          onKeyDown={onKeyDown}
        >
          {nameOf(part)}
        </button>
      ))}
    </div>
  );
}
