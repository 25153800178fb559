/** What is said of a feature. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { FeatureView, Why } from '../api/types';
import { formatDuration } from '../format';

/** Where the values of a feature stand. */
export type FeatureState = 'demand' | 'fresh' | 'never' | 'stale';

export function featureState(
  feature: Pick<FeatureView, 'on_demand' | 'state'>
): FeatureState {
  if (feature.on_demand || feature.state === null) {
    return 'demand';
  }
  return feature.state === 'fresh'
    ? 'fresh'
    : feature.state === 'new'
      ? 'never'
      : 'stale';
}

/** The word for a state. */
export function stateWord(
  state: FeatureState,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'fresh':
      return trans.__('fresh');
    case 'stale':
      return trans.__('stale');
    case 'never':
      return trans.__('never computed');
    case 'demand':
      return trans.__('on demand');
  }
}

/** The state, and of what is stale why. */
export function stateText(
  feature: Pick<FeatureView, 'on_demand' | 'state'>,
  trans: TranslationBundle
): string {
  const state = featureState(feature);
  const word = stateWord(state, trans);
  return state === 'stale' && feature.state
    ? trans.__('%1: %2', word, whyText(feature.state, trans))
    : word;
}

/** Why a feature was or would be computed. */
export function whyText(why: Why, trans: TranslationBundle): string {
  switch (why) {
    case 'code':
      return trans.__('its code was changed');
    case 'sources':
      return trans.__('a source was changed');
    case 'missing':
      return trans.__('its files are missing');
    case 'window':
      return trans.__('a span of time was asked for');
    case 'forced':
      return trans.__('it was asked for');
    case 'new':
      return trans.__('it never was computed');
    case 'fresh':
      return trans.__('nothing has changed');
  }
}

/** The name of the group with its dot, and the feature's own. */
export function nameParts({
  name,
  group
}: Pick<FeatureView, 'group' | 'name'>): readonly [string, string] {
  const before = `${group}.`;
  return name.startsWith(before)
    ? [before, name.slice(before.length)]
    : ['', name];
}

/** All that a row has no room for. */
export function featureTitle(
  feature: FeatureView,
  trans: TranslationBundle
): string {
  const { name, summary, entity, owner, tags, type, ttl, sensitivity } =
    feature;
  return [
    name,
    ...(summary ? [summary] : []),
    stateText(feature, trans),
    trans.__('Entity: %1', entity.join(', ')),
    ...(owner ? [trans.__('Owner: %1', owner)] : []),
    ...(type ? [trans.__('Type: %1', type)] : []),
    ...(tags.length > 0 ? [trans.__('Tags: %1', tags.join(', '))] : []),
    ...(ttl === null
      ? []
      : [trans.__('A value holds for %1', formatDuration(ttl, trans))]),
    ...(sensitivity ? [trans.__('Sensitivity: %1', sensitivity)] : [])
  ].join('\n');
}
