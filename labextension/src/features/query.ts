/** What is looked for in the catalog of features, as it was typed. */
import type { IFeatureQuery } from '../api/features';
import type { FeaturesView } from '../api/types';

/** What there is to filter by. */
export type Facets = Pick<
  FeaturesView,
  'entities' | 'owners' | 'tags' | 'types'
>;

/** `owner:ada`, or a word. */
const TERM =
  /(?<key>entity|owner|tag|type):(?:"(?<quoted>[^"]*)"?|(?<plain>\S*))|(?<word>\S+)/gi;

type Key = 'entity' | 'owner' | 'tag' | 'type';

/**
 * Return what to ask the server for.
 *
 * A value that is still being typed, or of which there is none, is looked for as a word; so what is
 * found narrows letter by letter.
 */
export function parseQuery(text: string, facets: Facets | null): IFeatureQuery {
  const words: string[] = [];
  const chosen: Partial<Record<Key, string>> = {};
  for (const { groups = {} } of text.matchAll(TERM)) {
    const { quoted, plain, word } = groups;
    const key = groups.key?.toLowerCase() as Key | undefined;
    const value = quoted ?? plain ?? '';
    const known =
      key &&
      valuesOf(key, facets).find(
        each => each.toLowerCase() === value.toLowerCase()
      );
    if (known && chosen[key] === undefined) {
      chosen[key] = known;
    } else {
      words.push(word ?? value);
    }
  }
  const sought = words.filter(Boolean).join(' ');
  return { ...(sought && { text: sought }), ...chosen };
}

/** What can be typed that finds something, for the browser to offer. */
export function suggestionsOf(facets: Facets | null): readonly string[] {
  return (['owner', 'entity', 'tag', 'type'] as const).flatMap(key =>
    valuesOf(key, facets).map(value => `${key}:${written(value)}`)
  );
}

function valuesOf(key: Key, facets: Facets | null): readonly string[] {
  switch (key) {
    case 'entity':
      return facets?.entities ?? [];
    case 'owner':
      return facets?.owners ?? [];
    case 'tag':
      return facets?.tags ?? [];
    case 'type':
      return facets?.types ?? [];
  }
}

function written(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}
