import { describe, expect, it } from 'vitest';

import type { LineageView } from '../../api/types';
import { drawLineage, lineageRequest } from '../lineage';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

function lineage(names: readonly string[]): LineageView {
  const node = (kind: string, name: string): LineageView['nodes'][number] => ({
    id: `${kind}:${name}`,
    kind,
    name,
    about: null
  });
  return {
    nodes: [
      node('data', 'x.csv'),
      node('run', 'r-1'),
      node('version', 'late/1'),
      ...names.map(name => node('feature', name))
    ],
    edges: [
      ['run:r-1', 'version:late/1'],
      ...names.flatMap(
        name =>
          [
            ['data:x.csv', `feature:${name}`],
            [`feature:${name}`, 'run:r-1']
          ] as const
      )
    ]
  };
}

describe('the drawing of a lineage', () => {
  it('folds many features of the same sources into one node', () => {
    const { nodes, shape } = drawLineage(lineage(NAMES), false);
    expect(nodes.map(({ kind }) => kind)).toEqual([
      'data',
      'run',
      'version',
      'feature'
    ]);
    expect(nodes[3]?.names).toEqual(NAMES);
    expect(shape.edges).toEqual([
      ['run:r-1', 'version:late/1'],
      ['data:x.csv', nodes[3]?.key],
      [nodes[3]?.key, 'run:r-1']
    ]);
  });

  it('shows few features, or unfolded ones, one by one', () => {
    expect(drawLineage(lineage(NAMES.slice(2)), false).nodes).toHaveLength(7);
    expect(drawLineage(lineage(NAMES), true).nodes).toHaveLength(9);
  });

  it('leaves apart features that come from elsewhere', () => {
    const found = lineage(NAMES);
    const other: LineageView = {
      nodes: [
        ...found.nodes,
        { id: 'data:y.csv', kind: 'data', name: 'y.csv', about: null }
      ],
      edges: [...found.edges, ['data:y.csv', 'feature:a']]
    };
    const { nodes } = drawLineage(other, false);
    const features = nodes.filter(({ kind }) => kind === 'feature');
    expect(features.map(({ names }) => names)).toEqual([['a'], NAMES.slice(1)]);
  });

  it('asks for as much space as the titles need, within limits', () => {
    const diagram = drawLineage(lineage(NAMES), false);
    const { nodes } = lineageRequest(
      diagram,
      node => node.name,
      node => node.kind,
      (text, isSmall) => text.length * (isSmall ? 1 : 100)
    );
    expect(nodes.map(({ width }) => width)).toEqual([280, 280, 280, 130]);
    const small = lineageRequest(
      diagram,
      node => node.name,
      node => node.kind,
      (text, isSmall) => text.length * (isSmall ? 30 : 1)
    );
    expect(small.nodes.map(({ width }) => width)).toEqual([144, 130, 234, 234]);
  });
});
