/** The forms of what is done with features. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { FeatureExportView, FeatureModel, SweepView } from '../api/types';
import { FieldsModel } from '../models/fields';
import type { ProjectStore } from '../projects/store';
import type { IFeatureTarget } from '../targets';

/** The form that computes a feature for a span of time. */
export function spanForm(
  { store, feature }: IFeatureTarget,
  trans: TranslationBundle
): FieldsModel<SweepView> {
  return new FieldsModel(
    [
      {
        name: 'since',
        label: trans.__('From, in UTC'),
        placeholder: trans.__('such as 2013-01-01'),
        isRequired: true
      },
      {
        name: 'until',
        label: trans.__('Until, in UTC (optional)'),
        placeholder: trans.__('such as 2013-02-01, which is left out')
      },
      {
        name: 'backfill',
        label: trans.__('How'),
        value: 'window',
        options: [
          { value: 'window', label: trans.__('At once') },
          {
            value: 'backfill',
            label: trans.__(
              'Partition by partition: takes less memory, and goes on after an interruption'
            )
          }
        ]
      }
    ],
    trans.__('Compute'),
    ({ since = '', until = '', backfill }) =>
      store.client.features.compute(store.project.path, {
        features: [feature.name],
        since: moment(since),
        until: until ? moment(until) : null,
        backfill: backfill === 'backfill'
      })
  );
}

/** The form that compares a feature with what it was when a model was trained. */
export function driftForm(
  { store, feature }: IFeatureTarget,
  models: readonly FeatureModel[],
  trans: TranslationBundle
): FieldsModel<SweepView> {
  const options = models.map(({ name, version, aliases }) => ({
    value: `${name}/${version}`,
    label: [
      name,
      trans.__('v%1', version),
      ...aliases.map(alias => `@${alias}`)
    ].join(' ')
  }));
  const first =
    models.find(({ aliases }) => aliases.includes('champion')) ?? models[0];
  return new FieldsModel(
    [
      {
        name: 'model',
        label: trans.__('Model version'),
        value: first ? `${first.name}/${first.version}` : '',
        options,
        isRequired: true
      },
      {
        name: 'allowed',
        label: trans.__('Distance above which it fails (optional)'),
        placeholder: trans.__('such as 0.2; empty: never')
      }
    ],
    trans.__('Compare'),
    ({ model = '', allowed = '' }) => {
      const at = model.lastIndexOf('/');
      return store.client.features.drift(store.project.path, {
        features: [feature.name],
        model: model.slice(0, at),
        version: Number(model.slice(at + 1)),
        allowed: allowed === '' ? null : Number(allowed)
      });
    }
  );
}

/** The form that joins features to the rows of a file. */
export function joinForm(
  store: ProjectStore,
  names: readonly string[],
  trans: TranslationBundle
): FieldsModel<SweepView> {
  return new FieldsModel(
    [
      {
        name: 'features',
        label: trans.__('Features, with commas between'),
        value: names.join(', '),
        placeholder: trans.__('such as flights.delay, weather.wind'),
        isRequired: true
      },
      {
        name: 'entities',
        label: trans.__('File of rows'),
        placeholder: trans.__('a .parquet or .csv file'),
        isRequired: true
      },
      {
        name: 'timestamp',
        label: trans.__('Column of their times (optional)'),
        placeholder: trans.__('empty: that of the features')
      },
      {
        name: 'label',
        label: trans.__('Column of the label (optional)'),
        placeholder: trans.__('is looked at for leaks')
      },
      {
        name: 'output',
        label: trans.__('File to write'),
        placeholder: trans.__('a .parquet or .csv file'),
        isRequired: true
      }
    ],
    trans.__('Join'),
    ({ features = '', entities = '', timestamp, label, output = '' }) =>
      store.client.features.join(store.project.path, {
        features: features.split(/[\s,]+/).filter(Boolean),
        entities,
        timestamp: given(timestamp),
        label: given(label),
        output
      })
  );
}

/** The form that writes the catalog for another system. */
export function exportForm(
  store: ProjectStore,
  trans: TranslationBundle
): FieldsModel<FeatureExportView> {
  return new FieldsModel(
    [
      {
        name: 'format',
        label: trans.__('For'),
        value: 'feast',
        options: [
          { value: 'feast', label: trans.__('Feast') },
          { value: 'datahub', label: trans.__('DataHub') },
          { value: 'amundsen', label: trans.__('Amundsen') }
        ]
      },
      {
        name: 'output',
        label: trans.__('Folder to write to'),
        value: 'exported-features',
        isRequired: true
      }
    ],
    trans.__('Export'),
    ({ format = '', output = '' }) =>
      store.client.features.export(store.project.path, { format, output })
  );
}

/** What was typed, or null. */
function given(text = ''): string | null {
  return text === '' ? null : text;
}

/** A day, or a moment without a zone, is taken as UTC. */
function moment(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    return `${text}T00:00:00Z`;
  }
  return /T[\d:.]+$/.test(text.replace(' ', 'T'))
    ? `${text.replace(' ', 'T')}Z`
    : text;
}
