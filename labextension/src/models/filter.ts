/** Which model versions somebody looks for, in the words of `models list`. */
import type { ModelVersionView } from '../api/types';
import { decodeNumber } from '../values';

type Match = (model: ModelVersionView) => boolean;

/** `owner:ada`, `auc > 0.7`, or a word. */
const TERM =
  /(?<key>[a-z]+):(?:"(?<quoted>[^"]*)"?|(?<plain>\S*))|(?<metric>[^\s<>=!]+)\s*(?<sign>[<>]=?|[!=]?=)\s*(?<limit>[-+]?[\d.]+(?:e[-+]?\d+)?)(?!\S)|(?<word>\S+)/gi;

const COMPARES: Readonly<
  Record<string, (value: number, limit: number) => boolean>
> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
  '=': (value, limit) => value === limit,
  '==': (value, limit) => value === limit,
  '!=': (value, limit) => value !== limit
};

/** What stands before a colon, and what it looks at. */
const LISTS: Readonly<
  Record<string, (model: ModelVersionView) => readonly string[]>
> = {
  name: model => [model.name],
  alias: model => model.aliases,
  owner: model => [model.tags.owner ?? ''],
  task: model => [model.tags.task ?? ''],
  stakeholder: stakeholders,
  feature: model => names(model.tags['mlops.features']),
  data: model => names(model.tags['mlops.data'])
};

/** Return what tells whether a version is looked for; nothing typed finds all. */
export function parseFilter(text: string): Match {
  const found = [...text.matchAll(TERM)].map(term => matchOf(term.groups));
  return model => found.every(match => match(model));
}

/** What can be typed that finds something, for the browser to offer. */
export function suggestionsOf(
  models: readonly ModelVersionView[]
): readonly string[] {
  const found = models.flatMap(model => [
    ...model.aliases.map(alias => `@${alias}`),
    ...named('owner', [model.tags.owner ?? '']),
    ...named('task', [model.tags.task ?? '']),
    ...named('stakeholder', stakeholders(model)),
    ...named('data', names(model.tags['mlops.data'])),
    ...ownTags(model).map(
      ([name, value]) => `tag:${written(`${name}=${value}`)}`
    )
  ]);
  return [...new Set(found)].sort();
}

/** The tags that people have set, without those that have a meaning of their own. */
export function ownTags(
  model: ModelVersionView
): readonly (readonly [string, string])[] {
  return Object.entries(model.tags).filter(
    ([name]) =>
      !['owner', 'task', 'stakeholders'].includes(name) &&
      !name.startsWith('mlops.') &&
      !name.startsWith('mlflow.')
  );
}

function matchOf(groups: Readonly<Record<string, string>> = {}): Match {
  const { key, quoted, plain, metric, sign = '', limit, word } = groups;
  const wanted = (quoted ?? plain ?? '').toLowerCase();
  if (key === 'tag') {
    return model => hasTag(model, wanted);
  }
  const list = key !== undefined && LISTS[key.toLowerCase()];
  if (list) {
    return model => list(model).some(each => contains(each, wanted));
  }
  if (metric !== undefined) {
    return model => {
      const value = decodeNumber(model.metrics[metric]);
      return (
        value !== null && (COMPARES[sign]?.(value, Number(limit)) ?? false)
      );
    };
  }
  const text = word ?? `${key ?? ''}:${wanted}`;
  // A comparison that is still being typed.
  return /^[<>=!]+$/.test(text) ? () => true : model => says(model, text);
}

/** Whether a word stands anywhere in what is known of a version. */
function says(model: ModelVersionView, word: string): boolean {
  const wanted = word.toLowerCase();
  return [
    model.name,
    `v${String(model.version)}`,
    model.description,
    model.run_id ?? '',
    ...model.aliases.map(alias => `@${alias}`),
    ...stakeholders(model),
    ...[model.tags.owner ?? '', model.tags.task ?? ''],
    ...ownTags(model).flat(),
    ...Object.keys(model.metrics)
  ].some(each => contains(each, wanted));
}

function hasTag(model: ModelVersionView, wanted: string): boolean {
  const [name = '', ...rest] = wanted.split('=');
  return Object.entries(model.tags).some(
    ([tag, value]) =>
      (rest.length === 0 ? contains(tag, name) : tag.toLowerCase() === name) &&
      contains(value, rest.join('='))
  );
}

function stakeholders(model: ModelVersionView): readonly string[] {
  return (model.tags.stakeholders ?? '').split(',').map(each => each.trim());
}

/** Read a list of names that is kept as JSON. */
function names(text: string | undefined): readonly string[] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(found) ? found.map(String) : [];
  } catch {
    return [];
  }
}

function named(key: string, values: readonly string[]): readonly string[] {
  return values.flatMap(value => (value ? [`${key}:${written(value)}`] : []));
}

function written(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}

function contains(text: string, wanted: string): boolean {
  return text.toLowerCase().includes(wanted);
}
