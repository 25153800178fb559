/** What joins the nodes. */
import type { ReactElement } from 'react';
import { memo, useEffect, useState } from 'react';

import type { ILayout, Point } from './layout';
import type { PipelineTabModel } from './tabmodel';

/** All edges; they change with the layout only. */
export const Edges = memo(function Edges(props: {
  readonly layout: ILayout;
}): ReactElement {
  return (
    <g className="jp-Mlops-edges" aria-hidden="true">
      {props.layout.edges.map(({ from, to, points }) => (
        <path key={`${from}\n${to}`} d={pathOf(points)} />
      ))}
    </g>
  );
});

/** The edges of the node that the pointer or the focus is at, drawn once more. */
export function PointedEdges(props: {
  readonly model: PipelineTabModel;
  readonly layout: ILayout;
}): ReactElement {
  const { model, layout } = props;
  const key = usePointed(model);
  return (
    <g className="jp-Mlops-edges jp-mod-pointed" aria-hidden="true">
      {layout.edges
        .filter(({ from, to }) => key !== null && (from === key || to === key))
        .map(({ from, to, points }) => (
          <path key={`${from}\n${to}`} d={pathOf(points)} />
        ))}
    </g>
  );
}

/** The key of the node that the pointer or the focus is at. */
export function usePointed(model: PipelineTabModel): string | null {
  const [key, setKey] = useState<string | null>(null);
  useEffect(() => {
    const slot = (_: PipelineTabModel, pointed: string | null): void => {
      setKey(pointed);
    };
    model.pointed.connect(slot);
    return () => {
      model.pointed.disconnect(slot);
    };
  }, [model]);
  return key;
}

/** A curve through the points that leaves and enters each of them level. */
export function pathOf(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      if (!before) {
        return `M${round(point)}`;
      }
      const middle = (before[0] + point[0]) / 2;
      return `C${round([middle, before[1]])} ${round([middle, point[1]])} ${round(point)}`;
    })
    .join('');
}

function round([x, y]: Point): string {
  return `${x.toFixed(1)},${y.toFixed(1)}`;
}
