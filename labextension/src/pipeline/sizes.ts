/** How large the nodes of a pipeline are, and how much text they hold. */
import type { DiagramNode, IDiagram } from './diagram';
import type { ILayoutRequest } from './layout';

/** The width of a text in px. */
export type Measure = (text: string, isSmall: boolean) => number;

/** What a node's text keeps clear: of its left edge, for its mark, and of its right edge. */
export const INSET = { left: 28, right: 10 } as const;
/** Space for the time beside the name. */
export const TIME = 62;
export const HEIGHT = { stage: 44, group: 52 } as const;
const WIDTH = { least: 150, most: 280 } as const;

/** What stands on a node. */
export function titleOf(node: DiagramNode): string {
  return node.kind === 'group'
    ? `${node.name} (${String(node.stages.length)})`
    : node.name;
}

/** The sizes depend on names alone, so that nothing moves while states change. */
export function layoutRequest(
  diagram: IDiagram,
  measure: Measure
): ILayoutRequest {
  const nodes = diagram.nodes.map(node => ({
    key: node.key,
    width: widthOf(node, measure),
    height: HEIGHT[node.kind],
    frame: node.kind === 'stage' ? node.group : null
  }));
  const framed = new Map<string | null, number>();
  nodes.forEach(({ frame, width }) =>
    framed.set(frame, Math.max(width, framed.get(frame) ?? 0))
  );
  return {
    // Those of one frame are equally wide.
    nodes: nodes.map(node => ({
      ...node,
      width:
        node.frame === null
          ? node.width
          : (framed.get(node.frame) ?? node.width)
    })),
    edges: diagram.shape.edges
  };
}

function widthOf(node: DiagramNode, measure: Measure): number {
  const name = Math.ceil(measure(titleOf(node), false));
  const width = name + INSET.left + TIME + INSET.right;
  return Math.min(WIDTH.most, Math.max(WIDTH.least, width));
}

/** Shorten a text to a width. */
export function shorten(
  text: string,
  width: number,
  isSmall: boolean,
  measure: Measure
): string {
  if (measure(text, isSmall) <= width) {
    return text;
  }
  let [fits, most] = [0, text.length];
  while (fits < most) {
    const middle = Math.ceil((fits + most) / 2);
    if (measure(`${text.slice(0, middle)}…`, isSmall) <= width) {
      fits = middle;
    } else {
      most = middle - 1;
    }
  }
  return `${text.slice(0, fits).trimEnd()}…`;
}
