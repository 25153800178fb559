/** What is said of the parts of a model card. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { PartView, Value } from '../api/types';
import { baseName, formatNumber, formatSize, formatValue } from '../format';
import { decode, decodeNumber } from '../values';
import type { Part } from './state';

type Facts = Readonly<Record<string, unknown>>;

/** Metrics and other lists are told up to this many. */
const TOLD = 3;

/** What stands on a part's tab. */
export function tabLabel(part: Part, trans: TranslationBundle): string {
  switch (part) {
    case 'card':
      return trans.__('Card');
    case 'lineage':
      return trans.__('Lineage');
    case 'comparison':
      return trans.__('Compare');
    case 'try':
      return trans.__('Try it');
  }
}

/** The title of a part of the card. */
export function partTitle(
  name: PartView['name'],
  trans: TranslationBundle
): string {
  switch (name) {
    case 'definition':
      return trans.__('Definition');
    case 'parameters':
      return trans.__('Parameters');
    case 'functions':
      return trans.__('Featurize and predict');
    case 'dependencies':
      return trans.__('Dependencies');
    case 'data':
      return trans.__('Data');
    case 'generation':
      return trans.__('Generation');
    case 'artifacts':
      return trans.__('Experiment');
    case 'tags':
      return trans.__('Tags');
  }
}

/** How complete a part is. */
export function statusText(
  status: PartView['status'],
  trans: TranslationBundle
): string {
  switch (status) {
    case 'present':
      return trans.__('complete');
    case 'partial':
      return trans.__('partial');
    case 'missing':
      return trans.__('missing');
  }
}

/** The most telling facts of a part, in one line. */
export function summary(part: PartView, trans: TranslationBundle): string {
  return SUMMARIES[part.name](part.facts, trans)
    .filter(text => text !== '')
    .join(' · ');
}

const SUMMARIES: Readonly<
  Record<
    PartView['name'],
    (facts: Facts, trans: TranslationBundle) => readonly string[]
  >
> = {
  definition: (facts, trans) => {
    const count = decodeNumber(facts.parameter_count);
    return [
      textOf(facts.class).split('.').at(-1) ?? '',
      ...Object.entries(record(facts.hyperparameters))
        .filter(([, value]) => typeof value === 'number')
        .slice(0, TOLD)
        .map(([name, value]) => `${name} ${formatValue(decode(value))}`),
      count === null ? '' : trans._n('%1 weight', '%1 weights', count)
    ];
  },
  parameters: (facts, trans) => {
    const files = list(facts.files);
    return [
      trans._n('%1 file', '%1 files', files.length),
      formatSize(decodeNumber(facts.size) ?? 0, trans)
    ];
  },
  functions: (facts, trans) => [
    ...(['featurize', 'predict'] as const).filter(
      name => textOf(record(facts[name]).source) !== ''
    ),
    facts.takes_raw_requests === true ? trans.__('takes raw requests') : ''
  ],
  dependencies: (facts, trans) => {
    const packages = Object.keys(record(facts.packages)).length;
    const python = textOf(facts.python);
    return [
      python === '' ? '' : trans.__('Python %1', python),
      packages === 0 ? '' : trans._n('%1 package', '%1 packages', packages)
    ];
  },
  data: (facts, trans) => [
    ...several(
      list(facts.files).map(each => textOf(record(each).path)),
      trans
    ),
    ...featuresText(list(facts.features).length, trans),
    ...Object.entries(record(facts.splits)).map(([name, split]) => {
      const rows = decodeNumber(record(split).rows);
      return rows === null
        ? name
        : trans.__('%1 %2 rows', name, rows.toLocaleString('en'));
    })
  ],
  generation: generationFacts,
  artifacts: (facts, trans) => {
    const plots = list(facts.plots).length;
    return [
      ...Object.entries(record(facts.metrics))
        .slice(0, TOLD)
        .map(([name, value]) => `${name} ${metricText(value)}`),
      plots === 0 ? '' : trans._n('%1 plot', '%1 plots', plots),
      textOf(facts.notebook) === '' ? '' : trans.__('output notebook')
    ];
  },
  tags: facts =>
    Object.entries(facts).map(([name, value]) => `${name} ${textOf(value)}`)
};

function featuresText(
  count: number,
  trans: TranslationBundle
): readonly string[] {
  return count > 0 ? [trans._n('%1 feature', '%1 features', count)] : [];
}

function generationFacts(
  facts: Facts,
  trans: TranslationBundle
): readonly string[] {
  const git = record(facts.git);
  const commit = textOf(git.commit).slice(0, 7);
  const dirty = git.dirty === true ? ` ${trans.__('(with changes)')}` : '';
  const notebook = baseName(textOf(facts.notebook));
  const sweep = record(facts.sweep);
  const runs = decodeNumber(sweep.runs) ?? 1;
  return [
    commit === '' ? notebook : `${notebook} @ ${commit}${dirty}`,
    runs > 1 ? trans.__('one of %1 runs', runs) : '',
    ...Object.entries(record(sweep.space))
      .slice(0, TOLD)
      .map(([name, space]) => `${name} ${textOf(space)}`)
  ];
}

/** Some names, and how many more there are. */
function several(
  names: readonly string[],
  trans: TranslationBundle
): readonly string[] {
  const more = names.length - TOLD;
  return [
    ...names.slice(0, TOLD),
    ...(more > 0 ? [trans.__('%1 more', more)] : [])
  ];
}

export function metricText(encoded: unknown): string {
  const value: Value = decode(encoded);
  return typeof value === 'number' ? formatNumber(value) : formatValue(value);
}

/** An object as it is, and nothing in place of anything else. */
export function record(value: unknown): Facts {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Facts)
    : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value === null || value === undefined
      ? ''
      : JSON.stringify(value);
}
