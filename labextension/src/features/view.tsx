/** The section of features. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useCallback, useEffect, useRef } from 'react';

import { Filter } from '../components/filter';
import { useSignal } from '../components/hooks';
import { LongTree } from '../components/longtree';
import { Problem } from '../components/problem';
import type { ProjectStore } from '../projects/store';
import type { IRowHandlers } from '../runs/handlers';
import type { FeaturesModel } from './model';
import { DefinitionProblems } from './problems';
import { FeatureRow, ROW_HEIGHT } from './row';
import type { FeatureSearch } from './search';

/** The field in which is typed what is looked for. */
const FIELD = '.jp-Mlops-lastingFilter';

export interface IFeaturesViewProps {
  readonly features: FeaturesModel;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
  /** Write a first feature. */
  readonly onCreate: () => void;
  /** Open the module that defines a feature, by the feature's name or the module's path. */
  readonly onOpenModule: (path: string) => void;
}

export function FeaturesView(props: IFeaturesViewProps): ReactElement {
  const { features, trans } = props;
  useSignal(features.changed);
  const { search, store } = features;
  const isKnown = search !== null && search.view !== null;
  const hasAny = (features.total ?? 0) > 0;
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isKnown && features.takeSearch()) {
      // The panel, which may just have opened, gives the focus to its first row.
      requestAnimationFrame(() =>
        node.current?.querySelector<HTMLElement>(FIELD)?.focus()
      );
    }
  });
  return (
    <div
      ref={node}
      className="jp-Mlops-section jp-Mlops-features"
      aria-busy={!isKnown}
    >
      {search?.problem && (
        <Problem
          problem={search.problem}
          trans={trans}
          onRetry={() => void features.refresh()}
        />
      )}
      {search && (hasAny || search.text !== '') && (
        <div className="jp-Mlops-searchBar">
          <Filter
            isLasting
            text={search.text}
            label={trans.__('Search features')}
            placeholder={trans.__('Name, text, owner:… tag:…')}
            suggestions={search.suggestions}
            onChange={text => {
              search.text = text;
            }}
            onClose={() => {
              search.text = '';
            }}
          />
          <Found search={search} total={features.total ?? 0} trans={trans} />
        </div>
      )}
      <DefinitionProblems
        problems={features.problems}
        trans={trans}
        onOpen={props.onOpenModule}
      />
      {store && search && search.count > 0 ? (
        <Rows {...props} store={store} search={search} />
      ) : (
        <Nothing {...props} />
      )}
    </div>
  );
}

/** How many of all were found. */
function Found(props: {
  readonly search: FeatureSearch;
  readonly total: number;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { search, total, trans } = props;
  const isAll = search.answeredText.trim() === '';
  return (
    <span className="jp-Mlops-found jp-Mlops-muted" role="status">
      {!isAll && trans.__('%1 of %2', search.count, total)}
    </span>
  );
}

function Rows(
  props: IFeaturesViewProps & {
    readonly store: ProjectStore;
    readonly search: FeatureSearch;
  }
): ReactElement {
  const { search, store, trans, handlers } = props;
  const onView = useCallback(
    (first: number, last: number) => search.want(first, last),
    [search]
  );
  return (
    <LongTree
      label={trans.__('Features')}
      count={search.count}
      height={ROW_HEIGHT}
      subject={search.answeredText}
      idOf={index => search.at(index)?.name ?? `#${index}`}
      onView={onView}
      row={index => (
        <FeatureRow
          index={index}
          count={search.count}
          feature={search.at(index)}
          store={store}
          trans={trans}
          handlers={handlers}
        />
      )}
    />
  );
}

/** What takes the place of rows where there are none. */
function Nothing(props: IFeaturesViewProps): ReactElement | null {
  const { features, trans } = props;
  const { search } = features;
  if (!search?.view) {
    return search?.problem ? null : (
      <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>
    );
  }
  if ((features.total ?? 0) > 0) {
    return (
      <p className="jp-Mlops-empty">
        {trans.__('No feature matches “%1”.', search.answeredText)}
      </p>
    );
  }
  return (
    <div className="jp-Mlops-empty">
      <p>
        {trans.__(
          'No features yet. Write a Python function into a module below features/, or into a cell that begins with %%%%mlops feature.'
        )}
      </p>
      <Button onClick={props.onCreate}>
        {trans.__('Write a first feature')}
      </Button>
    </div>
  );
}
