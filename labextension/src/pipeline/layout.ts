/** Where the nodes of a pipeline lie. */
import { Graph, layout as arrange } from '@dagrejs/dagre';

import type { Edge } from './diagram';

export interface ISize {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  /** Key of the frame around it, or null. */
  readonly frame: string | null;
}

/** What has to be laid out; made of plain values, since it travels to a worker. */
export interface ILayoutRequest {
  readonly nodes: readonly ISize[];
  readonly edges: readonly Edge[];
}

export interface IBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export type Point = readonly [x: number, y: number];

export interface ILayout {
  readonly width: number;
  readonly height: number;
  /** By key; x and y are those of the upper left corner. */
  readonly nodes: Readonly<Record<string, IBox>>;
  readonly frames: Readonly<Record<string, IBox>>;
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly points: readonly Point[];
  }[];
}

export const NO_LAYOUT: ILayout = {
  width: 0,
  height: 0,
  nodes: {},
  frames: {},
  edges: []
};

/** Space between nodes, and between columns of them. */
const GAPS = { nodesep: 18, ranksep: 56, edgesep: 10 } as const;
/** Space between a frame and the nodes in it, and for its name above them. */
const FRAME = { pad: 10, head: 26 } as const;
/** From this many nodes on a simpler way is good enough, and much faster. */
const LARGE = 400;

/** Lay it out from left to right. */
export function computeLayout(request: ILayoutRequest): ILayout {
  const { nodes, edges } = request;
  if (nodes.length === 0) {
    return NO_LAYOUT;
  }
  const frames = [...new Set(nodes.flatMap(({ frame }) => frame ?? []))];
  const graph = new Graph({ compound: frames.length > 0 });
  graph.setGraph({
    ...GAPS,
    rankdir: 'LR',
    ranker: nodes.length > LARGE ? 'tight-tree' : 'network-simplex'
  });
  graph.setDefaultEdgeLabel(() => ({}));
  frames.forEach(frame => graph.setNode(frameId(frame), {}));
  for (const { key, width, height, frame } of nodes) {
    graph.setNode(key, { width, height });
    if (frame !== null) {
      graph.setParent(key, frameId(frame));
    }
  }
  edges.forEach(([from, to]) => graph.setEdge(from, to));
  arrange(graph);
  return read(graph, request, frames);
}

/** Names of stages have no line breaks. */
function frameId(frame: string): string {
  return `\n${frame}`;
}

function read(
  graph: Graph,
  request: ILayoutRequest,
  frames: readonly string[]
): ILayout {
  const nodes: Record<string, IBox> = {};
  for (const { key } of request.nodes) {
    nodes[key] = boxOf(graph.node(key) as IBox);
  }
  const boxes: Record<string, IBox> = {};
  for (const frame of frames) {
    boxes[frame] = around(
      request.nodes.flatMap(node =>
        node.frame === frame ? (nodes[node.key] ?? []) : []
      )
    );
  }
  const edges = request.edges.map(([from, to]) => {
    const { points = [] } = graph.edge(from, to) as {
      points?: readonly { readonly x: number; readonly y: number }[];
    };
    // Between neighbours nothing is in the way; else it goes where dagre has left space.
    const inner = points.length > 3 ? points.slice(1, -1) : [];
    return {
      from,
      to,
      points: [
        ...sideOf(nodes[from], 1),
        ...inner.map(({ x, y }): Point => [x, y]),
        ...sideOf(nodes[to], 0)
      ]
    };
  });
  return moved({ width: 0, height: 0, nodes, frames: boxes, edges });
}

/** The middle of the left (0) or right (1) side. */
function sideOf(box: IBox | undefined, side: 0 | 1): readonly Point[] {
  return box ? [[box.x + side * box.width, box.y + box.height / 2]] : [];
}

/** dagre gives centres. */
function boxOf({ x, y, width, height }: IBox): IBox {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function around(boxes: readonly IBox[]): IBox {
  const left = Math.min(...boxes.map(box => box.x)) - FRAME.pad;
  const top = Math.min(...boxes.map(box => box.y)) - FRAME.head;
  const right = Math.max(...boxes.map(box => box.x + box.width));
  const bottom = Math.max(...boxes.map(box => box.y + box.height));
  return {
    x: left,
    y: top,
    width: right - left + FRAME.pad,
    height: bottom - top + FRAME.pad
  };
}

/** The same with its upper left corner at the origin. */
function moved(layout: ILayout): ILayout {
  const boxes = [
    ...Object.values(layout.nodes),
    ...Object.values(layout.frames)
  ];
  const left = boxes.reduce((least, box) => Math.min(least, box.x), Infinity);
  const top = boxes.reduce((least, box) => Math.min(least, box.y), Infinity);
  const move = (box: IBox): IBox => ({
    ...box,
    x: box.x - left,
    y: box.y - top
  });
  const moveAll = (
    all: Readonly<Record<string, IBox>>
  ): Readonly<Record<string, IBox>> =>
    Object.fromEntries(
      Object.entries(all).map(([key, box]) => [key, move(box)])
    );
  return {
    width: boxes.reduce((most, b) => Math.max(most, b.x + b.width - left), 0),
    height: boxes.reduce((most, b) => Math.max(most, b.y + b.height - top), 0),
    nodes: moveAll(layout.nodes),
    frames: moveAll(layout.frames),
    edges: layout.edges.map(edge => ({
      ...edge,
      points: edge.points.map(([x, y]) => [x - left, y - top] as const)
    }))
  };
}
