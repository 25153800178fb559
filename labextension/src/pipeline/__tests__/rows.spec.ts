import { describe, expect, it } from 'vitest';

import { aStage, manyStages, someStages } from '../../__tests__/stages';
import type { StageView } from '../../api/types';
import type { Rail, Row } from '../rows';
import { buildRows, failedNames } from '../rows';

const LINES: Readonly<Record<Rail, string>> = {
  branch: '├',
  last: '└',
  line: '│',
  none: ' '
};

/** The rows as they look. */
function drawn(
  stages: readonly StageView[],
  isFolded: boolean | null = null
): string[] {
  return buildRows(stages, failedNames(stages), () => isFolded).map(look);
}

function look(row: Row): string {
  const rails = row.rails.map(rail => LINES[rail]).join('');
  const name =
    row.kind === 'group' ? `${row.name} (${row.stages.length})` : row.key;
  return `${rails}${rails && ' '}${name}`;
}

function chain(...names: readonly string[]): StageView[] {
  return names.map((name, index) =>
    aStage({ name, upstream: names.slice(Math.max(0, index - 1), index) })
  );
}

describe('buildRows', () => {
  it('joins stages to those that they come after', () => {
    expect(drawn(someStages())).toEqual([
      'prepare',
      '├ train@a',
      '├ train@b',
      '└ compare'
    ]);
  });

  it('goes straight down along a chain', () => {
    expect(drawn(chain('a', 'b', 'c', 'd'))).toEqual([
      'a',
      '├ b',
      '├ c',
      '└ d'
    ]);
  });

  it('indents branches, and draws the lines that go on', () => {
    const stages = [
      ...chain('a', 'b'),
      aStage({ name: 'b1', upstream: ['b'] }),
      aStage({ name: 'b2', upstream: ['b'] }),
      aStage({ name: 'c', upstream: ['a'] })
    ];
    expect(drawn(stages)).toEqual(['a', '├ b', '│├ b1', '│└ b2', '└ c']);
  });

  it('puts what failed first, and what follows it below what that follows', () => {
    const stages = someStages().map(stage =>
      stage.name.startsWith('train')
        ? { ...stage, state: 'failed' as const }
        : stage
    );
    expect(drawn(stages)).toEqual([
      'train@a',
      'train@b',
      'prepare',
      '└ compare'
    ]);
  });

  it('folds the many stages of a matrix into one row until it is unfolded', () => {
    const many = ['a', 'b', 'c', 'd'].map(item =>
      aStage({ name: `train@${item}`, group: 'train', upstream: ['prepare'] })
    );
    const stages = [
      aStage(),
      ...many,
      aStage({ name: 'compare', upstream: many.map(({ name }) => name) })
    ];
    expect(drawn(stages)).toEqual(['prepare', '├ train (4)', '└ compare']);
    expect(drawn(stages, false)).toEqual([
      'prepare',
      '├ train (4)',
      '│├ train@a',
      '│├ train@b',
      '│├ train@c',
      '│└ train@d',
      '└ compare'
    ]);
    expect(drawn(someStages(), true)[1]).toBe('├ train (2)');
  });

  it('shows every stage once, and does not indent without end', () => {
    const rows = buildRows(manyStages(200), new Set(), () => null);
    expect(new Set(rows.map(row => row.key)).size).toBe(200);
    expect(rows).toHaveLength(200);
    expect(Math.max(...rows.map(row => row.rails.length))).toBeLessThan(9);
  });
});
