import { describe, expect, it } from 'vitest';

import { aStage, manyStages, someStages } from '../../__tests__/stages';
import type { StageView } from '../../api/types';
import { Graph } from '../../projects/graph';
import { pathOf } from '../edges';
import type { IDiagram } from '../diagram';
import { Diagrams } from '../diagram';
import type { IBox, ILayout } from '../layout';
import { computeLayout } from '../layout';
import { layoutRequest, shorten } from '../sizes';
import { firstKey, walk } from '../walk';

const measure = (text: string): number => text.length * 7;

function drawn(
  stages: readonly StageView[],
  ...unfolded: readonly string[]
): { readonly diagram: IDiagram; readonly layout: ILayout } {
  const diagram = new Diagrams().draw(
    new Graph(stages),
    stages,
    new Set(unfolded)
  );
  return { diagram, layout: computeLayout(layoutRequest(diagram, measure)) };
}

function overlap(left: IBox, right: IBox): boolean {
  return (
    left.x < right.x + right.width &&
    right.x < left.x + left.width &&
    left.y < right.y + right.height &&
    right.y < left.y + left.height
  );
}

describe('computeLayout', () => {
  it('puts each node to the right of those that it comes after', () => {
    const { diagram, layout } = drawn(manyStages(200));
    expect(diagram.shape.edges.length).toBeGreaterThan(200);
    for (const [from, to] of diagram.shape.edges) {
      const [left, right] = [layout.nodes[from], layout.nodes[to]];
      expect(left && right && left.x + left.width < right.x).toBe(true);
    }
  });

  it('puts no node upon another', () => {
    const boxes = Object.values(drawn(manyStages(200)).layout.nodes);
    expect(boxes).toHaveLength(200);
    const pairs = boxes.flatMap((box, index) =>
      boxes.slice(index + 1).filter(other => overlap(box, other))
    );
    expect(pairs).toEqual([]);
  });

  it('begins at the origin and knows how large it is', () => {
    const { layout } = drawn(someStages());
    const boxes = Object.values(layout.nodes);
    expect(Math.min(...boxes.map(({ x }) => x))).toBe(0);
    expect(Math.min(...boxes.map(({ y }) => y))).toBe(0);
    expect(layout.width).toBe(Math.max(...boxes.map(b => b.x + b.width)));
  });

  it('frames the stages of an unfolded group and nothing else', () => {
    const { layout } = drawn(someStages(), 'dvc.yaml:train');
    const frame = layout.frames['dvc.yaml:train'];
    const inside = Object.entries(layout.nodes).flatMap(([key, box]) =>
      frame && overlap(frame, box) ? key : []
    );
    expect(inside).toEqual(['train@a', 'train@b']);
  });

  it('has nothing to do for nothing, and joins a cycle of folded groups', () => {
    expect(drawn([]).layout).toMatchObject({ width: 0, nodes: {} });
    const pair = (group: string, ...upstream: string[]): StageView[] =>
      ['1', '2'].map(item =>
        aStage({ name: `${group}@${item}`, group, upstream })
      );
    const stages = [...pair('a'), ...pair('b', 'a@1')];
    const [first, second = aStage()] = stages;
    const cycle = [first ?? aStage(), { ...second, upstream: ['b@1'] }];
    const { layout } = drawn([...cycle, ...stages.slice(2)]);
    expect(Object.keys(layout.nodes)).toHaveLength(2);
  });

  it('makes nodes as wide as their names, within limits', () => {
    const stages = ['x', 'a'.repeat(25), 'b'.repeat(99)].map(name =>
      aStage({ name })
    );
    const widths = drawn(stages).diagram.nodes.map(
      node => drawn(stages).layout.nodes[node.key]?.width
    );
    expect(widths).toEqual([150, 275, 280]);
  });
});

describe('walk', () => {
  const { diagram, layout } = drawn(someStages(), 'dvc.yaml:train');
  const go = (key: string, from: string): string | null =>
    walk(key, from, diagram.shape, layout);

  it('goes along the edges and among siblings', () => {
    expect(firstKey(diagram.shape)).toBe('prepare');
    const next = go('ArrowRight', 'prepare') ?? '';
    expect(['train@a', 'train@b']).toContain(next);
    expect(go('ArrowLeft', next)).toBe('prepare');
    const upper =
      (layout.nodes['train@a']?.y ?? 0) < (layout.nodes['train@b']?.y ?? 0)
        ? ['train@a', 'train@b']
        : ['train@b', 'train@a'];
    expect(go('ArrowDown', upper[0] ?? '')).toBe(upper[1]);
    expect(go('ArrowUp', upper[1] ?? '')).toBe(upper[0]);
    expect(go('ArrowRight', 'train@b')).toBe('compare');
    expect(go('End', 'prepare')).toBe('compare');
  });

  it('stays where nothing follows', () => {
    expect(go('ArrowRight', 'compare')).toBeNull();
    expect(go('ArrowLeft', 'prepare')).toBeNull();
    expect(go('ArrowUp', 'prepare')).toBeNull();
    expect(go('x', 'prepare')).toBeNull();
    expect(go('ArrowLeft', 'nowhere')).toBeNull();
  });

  it('reaches every node of a large pipeline', () => {
    const large = drawn(manyStages(200));
    const reached = new Set([firstKey(large.diagram.shape) ?? '']);
    for (const from of reached) {
      for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown']) {
        const next = walk(key, from, large.diagram.shape, large.layout);
        if (next !== null) {
          reached.add(next);
        }
      }
    }
    expect(reached.size).toBe(200);
  });
});

describe('pathOf', () => {
  it('begins and ends where the edge does', () => {
    const points = [
      [0, 0],
      [10, 5],
      [20, 5],
      [30, 0]
    ] as const;
    expect(pathOf(points.slice(0, 2))).toBe(
      'M0.0,0.0C5.0,0.0 5.0,5.0 10.0,5.0'
    );
    expect(pathOf(points)).toMatch(/^M0.0,0.0C.* 10.0,5.0C.* 30.0,0.0$/);
    expect(pathOf([])).toBe('');
  });
});

describe('shorten', () => {
  it('cuts a text to its space', () => {
    expect(shorten('params.yaml', 100, true, measure)).toBe('params.yaml');
    expect(shorten('params.yaml', 50, true, measure)).toBe('params…');
    expect(shorten('params.yaml', 0, true, measure)).toBe('…');
  });
});
