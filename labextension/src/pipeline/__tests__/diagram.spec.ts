import { describe, expect, it } from 'vitest';

import { aStage, someStages } from '../../__tests__/stages';
import { Graph } from '../../projects/graph';
import { Diagrams, keyOf } from '../diagram';

const GROUP = 'dvc.yaml:train';

describe('Diagrams', () => {
  it('draws the stages of a matrix as one', () => {
    const stages = someStages();
    const { nodes, shape, frames } = new Diagrams().draw(
      new Graph(stages),
      stages,
      new Set()
    );
    expect(nodes.map(node => node.key)).toEqual(['prepare', GROUP, 'compare']);
    expect(nodes[1]?.stages).toHaveLength(2);
    expect(shape.edges).toEqual([
      ['prepare', GROUP],
      [GROUP, 'compare']
    ]);
    expect(shape.nodeOf.get('train@b')).toBe(GROUP);
    expect(frames).toEqual([]);
  });

  it('draws them one by one in a frame if it was unfolded', () => {
    const stages = someStages();
    const { nodes, frames, shape } = new Diagrams().draw(
      new Graph(stages),
      stages,
      new Set([GROUP])
    );
    expect(nodes.map(node => node.key)).toEqual(stages.map(({ name }) => name));
    expect(nodes[1]).toMatchObject({ kind: 'stage', group: GROUP });
    expect(frames).toMatchObject([{ key: GROUP, name: 'train' }]);
    expect(shape.edges).toHaveLength(4);
  });

  it('draws a matrix of one as a stage', () => {
    const stages = someStages().filter(({ name }) => name !== 'train@b');
    const { nodes } = new Diagrams().draw(
      new Graph(stages),
      stages,
      new Set([GROUP])
    );
    expect(nodes[1]).toMatchObject({ key: 'train@a', group: null });
  });

  it('keeps what has not changed, so that it is not drawn again', () => {
    const diagrams = new Diagrams();
    const stages = someStages();
    const graph = new Graph(stages);
    const before = diagrams.draw(graph, stages, new Set());
    const changed = stages.map(stage =>
      stage.name === 'train@a' ? { ...stage, state: 'running' as const } : stage
    );
    const after = diagrams.draw(graph, changed, new Set());
    expect(after.shape).toBe(before.shape);
    expect(after.nodes[0]).toBe(before.nodes[0]);
    expect(after.nodes[1]).not.toBe(before.nodes[1]);
    expect(after.nodes[2]).toBe(before.nodes[2]);
  });

  it('tells groups of the same name in different files apart', () => {
    const stages = ['dvc.yaml', 'sub/dvc.yaml'].flatMap(file =>
      ['a', 'b'].map(item =>
        aStage({ name: `${file}:train@${item}`, group: 'train', file })
      )
    );
    const { nodes } = new Diagrams().draw(new Graph(stages), stages, new Set());
    expect(nodes.map(node => node.key)).toEqual([GROUP, 'sub/dvc.yaml:train']);
  });

  it('names a stage by itself and several by their group', () => {
    const [prepare, a, b] = someStages();
    expect(keyOf([prepare ?? aStage()])).toBe('prepare');
    expect(keyOf([a ?? aStage(), b ?? aStage()])).toBe(GROUP);
    expect(keyOf([])).toBeNull();
  });
});

describe('Graph', () => {
  it('knows what follows and what comes before', () => {
    const graph = new Graph(someStages());
    expect([...graph.following(['train@a'])]).toEqual(['train@a', 'compare']);
    expect([...graph.preceding(['compare'])].sort()).toEqual([
      'compare',
      'prepare',
      'train@a',
      'train@b'
    ]);
    expect(graph.downstream('prepare')).toEqual(['train@a', 'train@b']);
  });

  it('leaves out what it does not know', () => {
    const graph = new Graph([aStage({ upstream: ['nowhere'] })]);
    expect(graph.upstream('prepare')).toEqual([]);
  });
});
