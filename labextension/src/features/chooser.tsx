/** The body of the dialog that asks which feature is meant. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useEffect, useId, useRef } from 'react';

import type { FeatureView } from '../api/types';
import { useSignal } from '../components/hooks';
import type { ChooserModel } from './choosing';
import { FeatureMark } from './mark';
import { featureState } from './words';

interface IChooserProps {
  readonly model: ChooserModel;
  readonly trans: TranslationBundle;
  /** Take the one that is chosen. */
  readonly onTake: () => void;
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 8,
  PageUp: -8
};

/** The focus stays in the field; the arrow keys move in the list. */
export function Chooser(props: IChooserProps): ReactElement {
  const { model, trans } = props;
  const { search, listed, chosen } = model;
  useSignal(model.changed);
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const at = chosen ? listed.indexOf(chosen) : -1;
  useEffect(() => {
    list.current
      ?.querySelector('[aria-selected="true"]')
      ?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step !== undefined) {
      event.preventDefault();
      model.move(step);
    }
  };
  return (
    <div className="jp-Mlops-form jp-Mlops-chooser">
      <input
        className="jp-mod-styled"
        type="search"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={at < 0 ? undefined : `${id}-${at}`}
        aria-label={trans.__('Search features')}
        placeholder={trans.__('Name, text, owner:ada, tag:…, entity:…')}
        autoComplete="off"
        spellCheck={false}
        value={search.text}
        onChange={event => {
          search.text = event.target.value;
        }}
        onKeyDown={onKeyDown}
      />
      <ul
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label={trans.__('Features')}
      >
        {listed.map((feature, index) => (
          <Option
            key={feature.name}
            {...props}
            id={`${id}-${index}`}
            feature={feature}
            isChosen={feature === chosen}
          />
        ))}
      </ul>
      <span className="jp-Mlops-hint" role="status">
        {hint(model, trans)}
      </span>
    </div>
  );
}

function Option(
  props: IChooserProps & {
    readonly id: string;
    readonly feature: FeatureView;
    readonly isChosen: boolean;
  }
): ReactElement {
  const { model, trans, feature, isChosen } = props;
  const { name, summary } = feature;
  return (
    // The keys are those of the field.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <li
      id={props.id}
      role="option"
      className="jp-Mlops-option"
      aria-selected={isChosen}
      tabIndex={-1}
      data-feature={name}
      title={summary}
      onClick={() => model.choose(name)}
      onDoubleClick={props.onTake}
    >
      <FeatureMark state={featureState(feature)} trans={trans} />
      <span className="jp-Mlops-chooserName">{name}</span>
      <span className="jp-Mlops-ellipsis jp-Mlops-muted">{summary}</span>
    </li>
  );
}

function hint(model: ChooserModel, trans: TranslationBundle): string {
  const { search, more, listed } = model;
  if (search.problem) {
    return search.problem.message;
  }
  if (!search.view) {
    return trans.__('Loading…');
  }
  if (listed.length === 0) {
    return search.answeredText
      ? trans.__('No feature matches “%1”.', search.answeredText)
      : trans.__('There is no feature with which this can be done.');
  }
  return more > 0
    ? trans._n(
        '%1 more: type what you look for.',
        '%1 more: type what you look for.',
        more
      )
    : '';
}
