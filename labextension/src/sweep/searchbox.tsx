/** The field that searches the runs of a sweep, and what is wrong with what was typed. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useEffect, useId, useRef } from 'react';

import { useSignal } from '../components/hooks';
import type { SweepModel } from './model';

export interface ISearchBoxProps {
  readonly model: SweepModel;
  readonly trans: TranslationBundle;
  /** Leave the field for the rows. */
  readonly onLeave: () => void;
}

export function SearchBox(props: ISearchBoxProps): ReactElement {
  const { model, trans, onLeave } = props;
  const { search } = model;
  useSignal(model.changed);
  useSignal(search.changed);
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (search.takeReached()) {
      field.current?.focus();
    }
  });
  const { found, problem, notes, text } = search;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' || event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === 'Escape') {
        search.text = '';
      }
      onLeave();
    }
  };
  return (
    <div className="jp-Mlops-search" role="search">
      <input
        ref={field}
        className="jp-Mlops-searchField jp-mod-styled"
        type="search"
        list={`${id}-fields`}
        value={text}
        placeholder={trans.__('Search runs: metrics.auc > 0.7')}
        aria-label={trans.__('Search runs')}
        aria-invalid={problem !== null}
        aria-describedby={`${id}-said`}
        autoComplete="off"
        spellCheck={false}
        onFocus={() => void search.learn()}
        onChange={event => {
          search.text = event.target.value;
        }}
        onKeyDown={onKeyDown}
      />
      <datalist id={`${id}-fields`}>
        {search.suggestions.map(each => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <span
        className={problem === null ? 'jp-Mlops-muted' : 'jp-Mlops-fieldError'}
        id={`${id}-said`}
        role="status"
      >
        {problem ??
          [
            ...(found
              ? [
                  trans.__(
                    '%1 of %2 runs',
                    model.sorted.length,
                    model.runs.length
                  )
                ]
              : []),
            ...notes
          ].join(' · ')}
      </span>
    </div>
  );
}
