/** A lineage as a graph: data, features, run, version and endpoint from left to right. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useEffect, useMemo, useRef, useState } from 'react';

import type { LineageView } from '../api/types';
import { Edges } from '../pipeline/edges';
import type { ILayout } from '../pipeline/layout';
import type { Measure } from '../pipeline/sizes';
import { shorten } from '../pipeline/sizes';
import { firstKey, walk } from '../pipeline/walk';
import type { ILineageDiagram, ILineageNode } from './lineage';
import { drawLineage, lineageRequest, TEXT_START, textWidth } from './lineage';

const MARGIN = 16;

export interface ILineageGraphProps {
  readonly lineage: LineageView;
  /** Key of the node that it is all about. */
  readonly own: string;
  readonly trans: TranslationBundle;
  readonly measure: Measure;
  /** Whether there is something to open. */
  readonly canOpen: (kind: string, name: string) => boolean;
  /** Open what a node stands for. */
  readonly onOpen: (kind: string, name: string) => void;
}

export function LineageGraph(props: ILineageGraphProps): ReactElement {
  const { own, trans, lineage, measure, onOpen } = props;
  const [isUnfolded, setUnfolded] = useState(false);
  const [last, setLast] = useState<string | null>(null);
  const diagram = useMemo(
    () => drawLineage(lineage, isUnfolded),
    [lineage, isUnfolded]
  );
  const layout = useLayout(diagram, trans, measure);
  const drawing = useRef<SVGSVGElement>(null);
  const { keys } = diagram.shape;
  const wanted = last ?? own;
  const active = keys.includes(wanted) ? wanted : firstKey(diagram.shape);
  const open = (node: ILineageNode): void => {
    if (node.names.length > 1) {
      setUnfolded(true);
    } else if (canOpen(node, props)) {
      onOpen(node.kind, node.name);
    }
  };
  const press = (node: ILineageNode, event: KeyboardEvent): void => {
    const next = layout && walk(event.key, node.key, diagram.shape, layout);
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      open(node);
    } else if (next) {
      event.preventDefault();
      drawing.current
        ?.querySelector<SVGElement>(`[data-key="${CSS.escape(next)}"]`)
        ?.focus();
    }
  };
  if (!layout) {
    return <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>;
  }
  return (
    <div className="jp-Mlops-lineage">
      <svg
        ref={drawing}
        role="group"
        aria-label={trans.__('Lineage')}
        width={layout.width + 2 * MARGIN}
        height={layout.height + 2 * MARGIN}
      >
        <g transform={`translate(${MARGIN} ${MARGIN})`}>
          <Edges layout={layout} />
          {diagram.nodes.map(node => (
            <LineageNode
              key={node.key}
              {...props}
              node={node}
              layout={layout}
              sources={sourcesOf(node, diagram)}
              isOwn={node.key === own}
              isActive={node.key === active}
              onFocus={() => setLast(node.key)}
              onClick={() => open(node)}
              onPress={event => press(node, event)}
            />
          ))}
        </g>
      </svg>
      <p className="jp-Mlops-pointed jp-Mlops-muted" aria-hidden="true">
        {trans.__('Arrow keys walk along the edges, Enter opens.')}
      </p>
    </div>
  );
}

function canOpen(node: ILineageNode, props: ILineageGraphProps): boolean {
  return node.names.length > 1 || props.canOpen(node.kind, node.name);
}

/** Where the nodes lie; null until that is known. */
function useLayout(
  diagram: ILineageDiagram,
  trans: TranslationBundle,
  measure: Measure
): ILayout | null {
  const [layout, setLayout] = useState<ILayout | null>(null);
  useEffect(() => {
    const asked = { isWanted: true };
    void (async () => {
      const { computeLayout } = await import('../pipeline/layout');
      const title = (node: ILineageNode): string => titleOf(node, trans);
      const about = (node: ILineageNode): string => aboutOf(node, trans);
      const found = computeLayout(
        lineageRequest(diagram, title, about, measure)
      );
      if (asked.isWanted) {
        setLayout(found);
      }
    })();
    return () => {
      asked.isWanted = false;
    };
  }, [diagram, trans, measure]);
  // One of another diagram lacks nodes of this one.
  return layout && diagram.nodes.every(({ key }) => layout.nodes[key])
    ? layout
    : null;
}

function LineageNode(
  props: ILineageGraphProps & {
    readonly node: ILineageNode;
    readonly layout: ILayout;
    readonly sources: readonly string[];
    readonly isOwn: boolean;
    readonly isActive: boolean;
    readonly onFocus: () => void;
    readonly onPress: (event: KeyboardEvent) => void;
    readonly onClick: () => void;
  }
): ReactElement | null {
  const { node, layout, sources, trans, measure } = props;
  const box = layout.nodes[node.key];
  if (!box) {
    return null;
  }
  const title = titleOf(node, trans);
  const kind = kindText(node, trans);
  const label = [
    `${kind} ${title}`,
    ...(sources.length > 0
      ? [trans.__('made from %1', sources.join(', '))]
      : [])
  ].join(', ');
  const space = textWidth(box.width);
  return (
    <g
      className="jp-Mlops-node jp-Mlops-lineageNode"
      data-key={node.key}
      data-lineage={node.kind}
      transform={`translate(${box.x} ${box.y})`}
      role="button"
      tabIndex={props.isActive ? 0 : -1}
      aria-label={label}
      aria-current={props.isOwn}
      aria-disabled={!canOpen(node, props)}
      onClick={props.onClick}
      onFocus={props.onFocus}
      onKeyDown={props.onPress}
    >
      <title>
        {[label, ...(node.names.length > 1 ? node.names : [])].join('\n')}
      </title>
      <rect
        className="jp-Mlops-nodeBox"
        width={box.width}
        height={box.height}
        rx={4}
      />
      <text className="jp-Mlops-nodeReason" x={TEXT_START} y={17}>
        {shorten(aboutOf(node, trans), space, true, measure)}
      </text>
      <text className="jp-Mlops-nodeName" x={TEXT_START} y={34}>
        {shorten(title, space, false, measure)}
      </text>
    </g>
  );
}

function sourcesOf(
  node: ILineageNode,
  { nodes, shape }: ILineageDiagram
): readonly string[] {
  const keys = new Set(
    shape.edges.filter(([, to]) => to === node.key).map(([from]) => from)
  );
  return nodes.filter(({ key }) => keys.has(key)).map(({ name }) => name);
}

/** What stands on a node. */
function titleOf(node: ILineageNode, trans: TranslationBundle): string {
  if (node.names.length > 1) {
    return trans._n('%1 feature', '%1 features', node.names.length);
  }
  return node.kind === 'version'
    ? node.name.replace(/\/(\d+)$/, ' v$1')
    : node.name;
}

/** What stands above the title. */
function aboutOf(node: ILineageNode, trans: TranslationBundle): string {
  const kind = kindText(node, trans);
  return node.about && node.kind !== 'data' ? `${kind} · ${node.about}` : kind;
}

function kindText(node: ILineageNode, trans: TranslationBundle): string {
  switch (node.kind) {
    case 'data':
      return trans.__('data');
    case 'source':
      return trans.__('source');
    case 'feature':
      return node.names.length > 1 ? trans.__('features') : trans.__('feature');
    case 'run':
      return trans.__('run');
    case 'version':
      return trans.__('model version');
    default:
      return trans.__('endpoint');
  }
}
