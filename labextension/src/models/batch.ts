/** The form that predicts the rows of a file. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { PredictRequest, SweepView } from '../api/types';
import type { IModelTarget } from '../targets';
import { FieldsModel } from './fields';

export function predictionForm(
  { store, model }: IModelTarget,
  trans: TranslationBundle
): FieldsModel<SweepView> {
  const versions = (store.models ?? [])
    .filter(({ name }) => name === model.name)
    .sort((left, right) => right.version - left.version);
  return new FieldsModel(
    [
      {
        name: 'input',
        label: trans.__('File of rows'),
        placeholder: trans.__('such as new.csv or days/*.parquet'),
        isRequired: true
      },
      {
        name: 'table',
        label: trans.__('Table, if it is a DuckDB database (optional)')
      },
      {
        name: 'output',
        label: trans.__('File to write'),
        placeholder: trans.__('a .parquet or .csv file'),
        isRequired: true
      },
      {
        name: 'version',
        label: trans.__('Version'),
        value: `v${String(model.version)}`,
        known: [
          ...versions.map(({ version }) => `v${String(version)}`),
          ...versions.flatMap(({ aliases }) => aliases.map(each => `@${each}`))
        ],
        isRequired: true
      }
    ],
    trans.__('Predict'),
    ({ input = '', table = '', output = '', version = '' }) =>
      store.client.registry.predict(store.project.path, model.name, {
        input,
        table: table || null,
        output,
        ...chosen(version)
      })
  );
}

/** A version by its number, such as `v4`, or by an alias. */
function chosen(text: string): Pick<PredictRequest, 'alias' | 'version'> {
  const [, number] = /^v?(\d+)$/i.exec(text) ?? [];
  return number === undefined
    ? { version: null, alias: text.replace(/^@/, '') }
    : { version: Number(number), alias: null };
}
