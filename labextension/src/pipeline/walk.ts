/** Going through a pipeline by keyboard, along its edges. */
import type { IShape } from './diagram';
import type { IBox, ILayout } from './layout';

/** Return the node that a key leads to, or null if it leads nowhere. */
export function walk(
  key: string,
  from: string,
  shape: IShape,
  layout: ILayout
): string | null {
  const box = layout.nodes[from];
  if (!box) {
    return null;
  }
  switch (key) {
    case 'ArrowRight':
      return nearest(after(shape, from), box, layout);
    case 'ArrowLeft':
      return nearest(before(shape, from), box, layout);
    case 'ArrowDown':
      return beside(shape, from, layout, 1);
    case 'ArrowUp':
      return beside(shape, from, layout, -1);
    case 'End':
      return shape.keys.at(-1) ?? null;
    default:
      return null;
  }
}

/** The node to begin with: the first one that nothing comes before. */
export function firstKey(shape: IShape): string | null {
  const hasUpstream = new Set(shape.edges.map(([, to]) => to));
  return shape.keys.find(key => !hasUpstream.has(key)) ?? shape.keys[0] ?? null;
}

function after(shape: IShape, from: string): readonly string[] {
  return shape.edges.flatMap(edge => (edge[0] === from ? edge[1] : []));
}

function before(shape: IShape, from: string): readonly string[] {
  return shape.edges.flatMap(edge => (edge[1] === from ? edge[0] : []));
}

function nearest(
  keys: readonly string[],
  box: IBox,
  layout: ILayout
): string | null {
  const distance = (key: string): number => {
    const other = layout.nodes[key];
    return other
      ? Math.abs(middle(other) - middle(box)) + Math.abs(other.x - box.x) / 4
      : Infinity;
  };
  return keys.reduce<string | null>(
    (best, key) =>
      best === null || distance(key) < distance(best) ? key : best,
    null
  );
}

/** The next node up or down: a sibling if there is one, else one of the same column. */
function beside(
  shape: IShape,
  from: string,
  layout: ILayout,
  direction: 1 | -1
): string | null {
  const box = layout.nodes[from];
  if (!box) {
    return null;
  }
  const near = new Set([
    ...before(shape, from).flatMap(key => after(shape, key)),
    ...after(shape, from).flatMap(key => before(shape, key))
  ]);
  const column = shape.keys.filter(key => {
    const other = layout.nodes[key];
    return (
      other && other.x < box.x + box.width && other.x + other.width > box.x
    );
  });
  const beyond = [...new Set([...column, ...near])]
    .flatMap(key => {
      const other = layout.nodes[key];
      const down = other ? (middle(other) - middle(box)) * direction : 0;
      return other && down > 0 ? { key, down, other } : [];
    })
    .sort(
      (left, right) =>
        left.down +
        Math.abs(left.other.x - box.x) -
        (right.down + Math.abs(right.other.x - box.x))
    );
  return beyond[0]?.key ?? null;
}

function middle(box: IBox): number {
  return box.y + box.height / 2;
}
