/** The field that narrows the rows of a section. */
import type { ReactElement } from 'react';
import { useEffect, useId, useRef } from 'react';

export interface IFilterProps {
  readonly text: string;
  readonly label: string;
  readonly placeholder: string;
  /** What the browser offers while the user types. */
  readonly suggestions?: readonly string[];
  /** Whether it is always there, so that it waits until it is given the focus. */
  readonly isLasting?: boolean;
  readonly onChange: (text: string) => void;
  /** The user has enough of it. */
  readonly onClose: () => void;
}

export function Filter(props: IFilterProps): ReactElement {
  const { text, label, placeholder, suggestions = [] } = props;
  const { isLasting = false } = props;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!isLasting) {
      field.current?.focus();
    }
  }, [isLasting]);
  return (
    <>
      <input
        ref={field}
        className={`${isLasting ? 'jp-Mlops-lastingFilter' : 'jp-Mlops-filter'} jp-mod-styled`}
        type="search"
        list={id}
        value={text}
        placeholder={placeholder}
        title={placeholder}
        aria-label={label}
        autoComplete="off"
        spellCheck={false}
        onChange={event => props.onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && !(isLasting && text === '')) {
            event.stopPropagation();
            const section = event.currentTarget.parentElement;
            props.onClose();
            if (!isLasting) {
              // The rows are all there again in the next frame.
              requestAnimationFrame(() => focusRow(section));
            }
          }
        }}
      />
      <datalist id={id}>
        {suggestions.map(each => (
          <option key={each} value={each} />
        ))}
      </datalist>
    </>
  );
}

function focusRow(section: HTMLElement | null): void {
  const row = '[role="treeitem"][tabindex="0"]';
  section?.querySelector<HTMLElement>(row)?.focus();
}
