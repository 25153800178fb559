/** What is drawn of a lineage: its nodes, many features of the same sources folded into one. */
import type { LineageView, NodeView } from '../api/types';
import type { IShape } from '../pipeline/diagram';
import type { ILayoutRequest } from '../pipeline/layout';
import type { Measure } from '../pipeline/sizes';

export interface ILineageNode {
  readonly key: string;
  readonly kind: string;
  /** What it is, or the first of those that are folded into it. */
  readonly name: string;
  readonly about: string | null;
  /** The names of the nodes that it stands for; one, unless it is folded. */
  readonly names: readonly string[];
}

export interface ILineageDiagram {
  readonly nodes: readonly ILineageNode[];
  readonly shape: IShape;
}

/** From this many features on they are drawn as one node. */
const MANY = 5;
const SIZE = { least: 130, most: 280, height: 44, inset: 12 } as const;
/** Nodes with the same neighbours on either side look alike. */
const BETWEEN = '\n';

export function drawLineage(
  lineage: LineageView,
  isUnfolded: boolean
): ILineageDiagram {
  const folded = isUnfolded ? new Map<string, string>() : foldings(lineage);
  const keyOf = (id: string): string => folded.get(id) ?? id;
  const nodes = new Map<string, ILineageNode>();
  for (const node of lineage.nodes) {
    const key = keyOf(node.id);
    const known = nodes.get(key);
    nodes.set(key, {
      key,
      kind: node.kind,
      name: known?.name ?? node.name,
      about: node.about,
      names: [...(known?.names ?? []), node.name]
    });
  }
  const edges = new Map(
    lineage.edges.map(([from, to]) => {
      const edge = [keyOf(from), keyOf(to)] as const;
      return [edge.join(BETWEEN), edge];
    })
  );
  return {
    nodes: [...nodes.values()],
    shape: {
      keys: [...nodes.keys()],
      edges: [...edges.values()],
      nodeOf: new Map(lineage.nodes.map(({ id }) => [id, keyOf(id)]))
    }
  };
}

/** Return the key of the node that a feature is folded into, by the feature's id. */
function foldings({ nodes, edges }: LineageView): Map<string, string> {
  const around = (node: NodeView): string =>
    [
      ...edges.filter(([, to]) => to === node.id).map(([from]) => `<${from}`),
      ...edges.filter(([from]) => from === node.id).map(([, to]) => `>${to}`)
    ]
      .sort()
      .join(BETWEEN);
  const groups = new Map<string, string[]>();
  for (const node of nodes) {
    if (node.kind === 'feature') {
      const key = around(node);
      groups.set(key, [...(groups.get(key) ?? []), node.id]);
    }
  }
  return new Map(
    [...groups.values()]
      .filter(ids => ids.length >= MANY)
      .flatMap(ids => ids.map(id => [id, `features:${ids[0] ?? ''}`] as const))
  );
}

export function lineageRequest(
  { nodes, shape }: ILineageDiagram,
  title: (node: ILineageNode) => string,
  about: (node: ILineageNode) => string,
  measure: Measure
): ILayoutRequest {
  return {
    nodes: nodes.map(node => {
      const text = Math.max(
        measure(title(node), false),
        measure(about(node), true)
      );
      const width = Math.ceil(text) + 2 * SIZE.inset;
      return {
        key: node.key,
        width: Math.min(SIZE.most, Math.max(SIZE.least, width)),
        height: SIZE.height,
        frame: null
      };
    }),
    edges: shape.edges
  };
}

/** Space for the text of a node that is so wide. */
export function textWidth(width: number): number {
  return width - 2 * SIZE.inset;
}

/** Where the text of a node begins. */
export const TEXT_START = SIZE.inset;
