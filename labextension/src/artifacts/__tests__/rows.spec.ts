import { describe, expect, it } from 'vitest';

import { anArtifact } from '../../__tests__/samples';
import { buildRows } from '../rows';

const FILES = [
  anArtifact('s1-1.ipynb', { size: 900 }),
  anArtifact('plots/roc.png', { size: 100 }),
  anArtifact('plots/deep/curve.csv', { size: 20 }),
  anArtifact('model/MLmodel', { size: null })
];

describe('buildRows', () => {
  it('puts folders before files, each by name, with the size of all in them', () => {
    const rows = buildRows(FILES, () => true);
    expect(rows.map(({ path, level, size }) => [path, level, size])).toEqual([
      ['model', 1, null],
      ['model/MLmodel', 2, null],
      ['plots', 1, 120],
      ['plots/deep', 2, 20],
      ['plots/deep/curve.csv', 3, 20],
      ['plots/roc.png', 2, 100],
      ['s1-1.ipynb', 1, 900]
    ]);
    expect(rows.map(each => each.name)).toContain('curve.csv');
  });

  it('leaves out what is below a folded folder', () => {
    const rows = buildRows(FILES, folder => folder !== 'plots');
    expect(rows.map(each => each.path)).toEqual([
      'model',
      'model/MLmodel',
      'plots',
      's1-1.ipynb'
    ]);
    expect(rows.map(each => each.isExpanded)).toEqual([
      true,
      null,
      false,
      null
    ]);
  });
});
