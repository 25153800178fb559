/** What is drawn of a pipeline: its stages, those that a foreach or matrix makes folded into one. */
import type { StageView } from '../api/types';
import type { Graph } from '../projects/graph';

export interface IStageNode {
  readonly kind: 'stage';
  /** Identifies the node among all. */
  readonly key: string;
  readonly name: string;
  /** Key of the unfolded group that it is drawn in, or null. */
  readonly group: string | null;
  /** The stage alone. */
  readonly stages: readonly [StageView];
}

export interface IGroupNode {
  readonly kind: 'group';
  readonly key: string;
  /** What it is called in dvc.yaml. */
  readonly name: string;
  readonly stages: readonly StageView[];
}

export type DiagramNode = IGroupNode | IStageNode;

/** An unfolded group, around the nodes of its stages. */
export interface IFrame {
  readonly key: string;
  readonly name: string;
  readonly stages: readonly StageView[];
}

export type Edge = readonly [from: string, to: string];

/** Which nodes there are and how they hang together; whatever their states. */
export interface IShape {
  readonly keys: readonly string[];
  readonly edges: readonly Edge[];
  /** The key of the node that a stage is drawn in. */
  readonly nodeOf: ReadonlyMap<string, string>;
}

export interface IDiagram {
  readonly nodes: readonly DiagramNode[];
  readonly frames: readonly IFrame[];
  readonly shape: IShape;
}

/** The key of the group that a stage belongs to, or null. */
export function groupKey(stage: StageView): string | null {
  return stage.group === null ? null : `${stage.file}:${stage.group}`;
}

/** The key of the stage, or of the group that several belong to. */
export function keyOf(stages: readonly StageView[]): string | null {
  const [stage, other] = stages;
  return stage ? (other ? groupKey(stage) : stage.name) : null;
}

/** The stages of each group of two or more. */
export function groupsOf(
  stages: readonly StageView[]
): ReadonlyMap<string, readonly StageView[]> {
  const groups = new Map<string, StageView[]>();
  for (const stage of stages) {
    const key = groupKey(stage);
    if (key !== null) {
      groups.set(key, [...(groups.get(key) ?? []), stage]);
    }
  }
  return new Map([...groups].filter(([, members]) => members.length > 1));
}

/** Draws the same pipeline again and again; what has not changed is the same object as before. */
export class Diagrams {
  draw(
    graph: Graph,
    stages: readonly StageView[],
    unfolded: ReadonlySet<string>
  ): IDiagram {
    const groups = groupsOf(stages);
    const nodes = new Map<string, DiagramNode>();
    for (const stage of stages) {
      const key = groupKey(stage);
      const members = key === null ? undefined : groups.get(key);
      const isFolded = key !== null && members && !unfolded.has(key);
      const node: DiagramNode = isFolded
        ? { kind: 'group', key, name: stage.group ?? key, stages: members }
        : {
            kind: 'stage',
            key: stage.name,
            name: stage.name,
            group: members ? key : null,
            stages: [stage]
          };
      nodes.set(node.key, this._reuse(node));
    }
    const frames = [...groups].flatMap(([key, members]) =>
      unfolded.has(key)
        ? { key, name: members[0]?.group ?? key, stages: members }
        : []
    );
    this._nodes = nodes;
    const id = [...nodes.values()].map(idOf).join('\n');
    if (!this._shape || this._drawn !== graph || this._id !== id) {
      this._shape = shapeOf(graph, nodes);
      this._drawn = graph;
      this._id = id;
    }
    return { nodes: [...nodes.values()], frames, shape: this._shape };
  }

  private _reuse(node: DiagramNode): DiagramNode {
    const before = this._nodes.get(node.key);
    const isSame =
      before?.kind === node.kind &&
      before.stages.length === node.stages.length &&
      before.stages.every((stage, index) => stage === node.stages[index]) &&
      idOf(before) === idOf(node);
    return isSame ? before : node;
  }

  private _nodes: ReadonlyMap<string, DiagramNode> = new Map();
  private _shape: IShape | null = null;
  private _drawn: Graph | null = null;
  private _id = '';
}

function idOf(node: DiagramNode): string {
  return node.kind === 'group'
    ? `${node.key}\t${String(node.stages.length)}`
    : `${node.key}\t\t${node.group ?? ''}`;
}

function shapeOf(
  graph: Graph,
  nodes: ReadonlyMap<string, DiagramNode>
): IShape {
  const nodeOf = new Map<string, string>();
  nodes.forEach(({ key, stages }) =>
    stages.forEach(stage => nodeOf.set(stage.name, key))
  );
  const edges = new Map<string, Edge>();
  for (const [name, to] of nodeOf) {
    for (const upstream of graph.upstream(name)) {
      const from = nodeOf.get(upstream);
      if (from !== undefined && from !== to) {
        edges.set(`${from}\n${to}`, [from, to]);
      }
    }
  }
  return { keys: [...nodes.keys()], edges: [...edges.values()], nodeOf };
}
