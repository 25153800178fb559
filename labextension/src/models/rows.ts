/** The rows of the section of models. */
import type { ModelVersionView } from '../api/types';

/** So many versions of a model are listed; versions with an alias always are. */
const SHOWN = 3;
/** Parts of a card. */
export const PARTS = 8;

export interface IVersionRow {
  readonly kind: 'version';
  readonly key: string;
  readonly model: ModelVersionView;
  /** Whether it is the first row of its name. */
  readonly isFirst: boolean;
}

/** Stands for older versions that are not listed. */
export interface IOlderRow {
  readonly kind: 'older';
  readonly key: string;
  readonly name: string;
  readonly count: number;
}

export type ModelRow = IOlderRow | IVersionRow;

export interface IRowsOptions {
  readonly models: readonly ModelVersionView[];
  /** Whether all versions of a model are listed. */
  readonly showsAll: (name: string) => boolean;
}

/** Return the rows: models by name, the newest version of each first. */
export function buildModelRows(options: IRowsOptions): readonly ModelRow[] {
  const { models, showsAll } = options;
  const byName = new Map<string, ModelVersionView[]>();
  for (const model of models) {
    byName.set(model.name, [...(byName.get(model.name) ?? []), model]);
  }
  return [...byName]
    .sort(([left], [right]) => left.localeCompare(right))
    .flatMap(([name, versions]) => {
      versions.sort((left, right) => right.version - left.version);
      const listed = showsAll(name)
        ? versions
        : versions.filter((each, at) => at < SHOWN || each.aliases.length > 0);
      const rows: ModelRow[] = listed.map((model, at) => ({
        kind: 'version',
        key: `${name}/${String(model.version)}`,
        model,
        isFirst: at === 0
      }));
      const count = versions.length - listed.length;
      return count > 0
        ? [...rows, { kind: 'older', key: `${name}/older`, name, count }]
        : rows;
    });
}
