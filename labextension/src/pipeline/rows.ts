/** The rows of a pipeline as a list: failures first, then along the edges. */
import type { StageView } from '../api/types';
import { groupKey, groupsOf } from './diagram';

/** More stages of one foreach or matrix than this are one row until it is unfolded. */
const FEW = 3;
/** Deeper rows are not indented further. */
const DEEPEST = 6;

/** What is drawn before a row: a branch, the last branch, a line that goes on, or nothing. */
export type Rail = 'branch' | 'last' | 'line' | 'none';

export interface IStageRow {
  readonly kind: 'stage';
  readonly key: string;
  readonly level: number;
  readonly rails: readonly Rail[];
  readonly stage: StageView;
}

export interface IGroupRow {
  readonly kind: 'group';
  readonly key: string;
  readonly level: number;
  readonly rails: readonly Rail[];
  readonly name: string;
  readonly stages: readonly StageView[];
  readonly isExpanded: boolean;
}

export type Row = IGroupRow | IStageRow;

/** Something that takes a row: a stage, or a folded group. */
interface IItem {
  readonly key: string;
  readonly group: string | null;
  readonly stages: readonly StageView[];
  readonly children: IItem[];
}

/** Whether a group was folded or unfolded by the user; null if neither. */
export type Folding = (group: string) => boolean | null;

/** The stages that come first: those that failed. */
export function failedNames(stages: readonly StageView[]): ReadonlySet<string> {
  return new Set(
    stages.flatMap(stage => (stage.state === 'failed' ? stage.name : []))
  );
}

/**
 * Return the rows from top to bottom.
 *
 * Each stage stands below the one that it comes after last, joined to it by rails; a chain of
 * stages goes straight down. What follows the stages that come first stands below what those
 * follow.
 *
 * @param stages - each after those that it depends on
 * @param first - names of the stages that come first
 */
export function buildRows(
  stages: readonly StageView[],
  first: ReadonlySet<string>,
  isFolded: Folding
): readonly Row[] {
  const failed = stages.filter(stage => first.has(stage.name));
  const rest = stages.filter(stage => !first.has(stage.name));
  const rows: Row[] = failed.map(stage => ({
    kind: 'stage',
    key: stage.name,
    level: 1,
    rails: [],
    stage
  }));
  const add = (items: readonly IItem[], above: readonly Rail[]): void => {
    const chained = items.flatMap(chainOf);
    chained.forEach((item, index) => {
      const isLast = index === chained.length - 1;
      rows.push(
        ...rowsOf(item, [...above, isLast ? 'last' : 'branch'], isFolded)
      );
      if (item.children.length > 1) {
        const below: readonly Rail[] = [...above, isLast ? 'none' : 'line'];
        add(item.children, below.slice(0, DEEPEST));
      }
    });
  };
  for (const item of arrange(stages, rest, isFolded)) {
    rows.push(...rowsOf(item, [], isFolded));
    add(item.children, []);
  }
  return rows;
}

/** An item and what follows it alone, one after the other. */
function chainOf(item: IItem): readonly IItem[] {
  const chain = [item];
  for (
    let [next, other] = item.children;
    next && !other;
    [next, other] = next.children
  ) {
    chain.push(next);
  }
  return chain;
}

/** The rows of an item, without those below it. */
function rowsOf(
  item: IItem,
  rails: readonly Rail[],
  isFolded: Folding
): readonly Row[] {
  const level = rails.length + 1;
  const { key, group, stages } = item;
  const [first] = stages;
  if (!first) {
    return [];
  }
  if (group === null) {
    return [{ kind: 'stage', key, level, rails, stage: first }];
  }
  const isExpanded = isFolded(group) === false;
  const name = first.group ?? group;
  const head: Row = {
    kind: 'group',
    key,
    level,
    rails,
    name,
    stages,
    isExpanded
  };
  const passing = rails.map<Rail>(rail =>
    rail === 'branch' || rail === 'line' ? 'line' : 'none'
  );
  const members = stages.map<Row>((stage, index) => ({
    kind: 'stage',
    key: stage.name,
    level: level + 1,
    rails: [...passing, index === stages.length - 1 ? 'last' : 'branch'],
    stage
  }));
  return isExpanded ? [head, ...members] : [head];
}

/** Put each item below the deepest one that it depends on. */
function arrange(
  all: readonly StageView[],
  rest: readonly StageView[],
  isFolded: Folding
): readonly IItem[] {
  const groups = groupsOf(rest);
  const items = new Map<string, IItem>();
  const depths = new Map<string, number>();
  const known = new Map(all.map(stage => [stage.name, stage]));
  const itemOf = new Map<string, IItem>();
  const top: IItem[] = [];
  for (const stage of rest) {
    const key = groupKey(stage);
    const members = key === null ? undefined : groups.get(key);
    const isOne =
      key !== null &&
      members !== undefined &&
      (members.length > FEW || isFolded(key) !== null);
    const id = isOne ? key : stage.name;
    const found = items.get(id);
    if (found) {
      itemOf.set(stage.name, found);
      continue;
    }
    const item: IItem = {
      key: id,
      group: isOne ? key : null,
      stages: isOne ? members : [stage],
      children: []
    };
    items.set(id, item);
    itemOf.set(stage.name, item);
    const parent = deepest(stage, known, itemOf, depths);
    depths.set(id, parent ? (depths.get(parent.key) ?? 0) + 1 : 0);
    (parent?.children ?? top).push(item);
  }
  return top;
}

/** The deepest item that a stage comes after; those that are not listed are looked through. */
function deepest(
  stage: StageView,
  known: ReadonlyMap<string, StageView>,
  itemOf: ReadonlyMap<string, IItem>,
  depths: ReadonlyMap<string, number>
): IItem | null {
  let best: IItem | null = null;
  const names = new Set(stage.upstream);
  for (const name of names) {
    const item = itemOf.get(name);
    if (!item) {
      known.get(name)?.upstream.forEach(each => names.add(each));
    } else if (
      !best ||
      (depths.get(item.key) ?? 0) >= (depths.get(best.key) ?? 0)
    ) {
      best = item;
    }
  }
  return best;
}
