/** The rows of the section of models. */
import type { ModelVersionView } from '../api/types';

/** So many versions of a model are listed; versions with an alias always are. */
const SHOWN = 3;

export interface IModelRow {
  readonly key: string;
  readonly model: ModelVersionView;
  /** Whether it is the first row of its name. */
  readonly isFirst: boolean;
}

/** Return the rows: models by name, the newest version of each first. */
export function buildModelRows(
  models: readonly ModelVersionView[]
): readonly IModelRow[] {
  const sorted = [...models].sort(
    (left, right) =>
      left.name.localeCompare(right.name) || right.version - left.version
  );
  const seen = new Map<string, number>();
  return sorted.flatMap(model => {
    const count = seen.get(model.name) ?? 0;
    seen.set(model.name, count + 1);
    return count < SHOWN || model.aliases.length > 0
      ? [
          {
            key: `${model.name}/${String(model.version)}`,
            model,
            isFirst: count === 0
          }
        ]
      : [];
  });
}
