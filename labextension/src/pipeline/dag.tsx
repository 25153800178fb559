/** The pipeline as a graph that can be moved, zoomed and walked through. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useMemo, useRef, useState } from 'react';

import { useSignal } from '../components/hooks';
import { openMenu } from '../components/tree';
import type { IRowHandlers } from '../runs/handlers';
import type { IStageTarget } from '../targets';
import type { DiagramNode } from './diagram';
import { Edges, PointedEdges, usePointed } from './edges';
import { useGestures } from './gestures';
import type { INodeHandlers } from './node';
import { FrameView, nodeLabel, NodeView } from './node';
import type { PipelineTabModel } from './tabmodel';
import { STEP } from './viewport';
import { firstKey, walk } from './walk';

export interface IDagProps {
  readonly model: PipelineTabModel;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'point' | 'select'>;
}

export function Dag(props: IDagProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const window = useRef<HTMLDivElement>(null);
  const drawing = useRef<SVGGElement>(null);
  const [last, setLast] = useState<string | null>(null);
  useGestures(model, window, drawing);
  const { diagram, layout, selected } = model;
  const { keys, nodeOf } = diagram.shape;
  const wanted = last ?? nodeOf.get(selected ?? '') ?? selected;
  const active =
    wanted !== null && keys.includes(wanted) ? wanted : firstKey(diagram.shape);
  const handlers = useHandlers(props, window, setLast);
  return (
    <div className="jp-Mlops-dag">
      <div ref={window} className="jp-Mlops-dagWindow">
        <svg role="group" aria-label={trans.__('Graph of stages')}>
          <g ref={drawing}>
            {layout && (
              <>
                {diagram.frames.map(frame => {
                  const box = layout.frames[frame.key];
                  return (
                    box && (
                      <FrameView
                        key={frame.key}
                        frame={frame}
                        box={box}
                        handlers={handlers}
                        trans={trans}
                      />
                    )
                  );
                })}
                <Edges layout={layout} />
                <PointedEdges model={model} layout={layout} />
                {diagram.nodes.map(node => {
                  const box = layout.nodes[node.key];
                  return (
                    box && (
                      <NodeView
                        key={node.key}
                        node={node}
                        box={box}
                        isSelected={isSelected(node, selected)}
                        isActive={node.key === active}
                        measure={model.measure}
                        handlers={handlers}
                        trans={trans}
                      />
                    )
                  );
                })}
              </>
            )}
          </g>
        </svg>
        {!layout && <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>}
      </div>
      <Pointed model={model} trans={trans} />
    </div>
  );
}

/** In full what the node says that the pointer or the focus is at. */
function Pointed(props: {
  readonly model: PipelineTabModel;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { model, trans } = props;
  const key = usePointed(model);
  const node = model.diagram.nodes.find(each => each.key === key);
  const text = node
    ? nodeLabel(node, trans)
    : trans.__(
        'Arrow keys walk along the edges, Enter opens, Shift+F10 shows the menu, Home fits.'
      );
  return (
    // A screen reader has read it with the node.
    <div
      className="jp-Mlops-pointed jp-Mlops-muted jp-Mlops-ellipsis"
      aria-hidden="true"
      title={text}
    >
      {text}
    </div>
  );
}

function isSelected(node: DiagramNode, selected: string | null): boolean {
  return (
    node.key === selected ||
    (node.kind === 'group' &&
      node.stages.some(stage => stage.name === selected))
  );
}

/** What nodes do; made once, so that nodes are not rendered for it. */
function useHandlers(
  props: IDagProps,
  window: { readonly current: HTMLDivElement | null },
  setLast: (key: string) => void
): INodeHandlers {
  const { model, handlers } = props;
  return useMemo(() => {
    const targetOf = (node: DiagramNode): IStageTarget => ({
      kind: 'stage',
      store: model.store,
      name: node.name,
      stages: node.stages
    });
    const go = (key: string | null): void => {
      const node = window.current?.querySelector<SVGElement>(
        `[data-key="${CSS.escape(key ?? '')}"]`
      );
      const box = model.layout?.nodes[key ?? ''];
      if (node && box) {
        node.focus({ preventScroll: true });
        model.viewport.reveal(box, true);
      }
    };
    const press = (
      node: DiagramNode,
      event: KeyboardEvent<SVGElement>
    ): void => {
      const action = keyAction(node, event, model, go);
      if (action) {
        event.preventDefault();
        event.stopPropagation();
        action();
      }
    };
    return {
      open: node => model.select(node.key),
      focus: node => {
        setLast(node.key);
        model.point(node.key);
        handlers.select(targetOf(node));
      },
      hover: key => model.point(key),
      menu: node => handlers.point(targetOf(node)),
      fold: (group, isFolded) => model.fold(group, isFolded),
      press
    };
  }, [model, handlers, window, setLast]);
}

function keyAction(
  node: DiagramNode,
  event: KeyboardEvent<SVGElement>,
  model: PipelineTabModel,
  go: (key: string | null) => void
): (() => void) | undefined {
  const { viewport } = model;
  switch (event.key) {
    case 'Enter':
      return () => model.select(node.key);
    case ' ':
      return node.kind === 'group'
        ? () => model.fold(node.key, false)
        : node.group !== null
          ? () => model.fold(node.group ?? '', true)
          : () => model.select(node.key);
    case 'Escape':
      return model.selected === null ? undefined : () => model.select(null);
    case 'Home':
      return () => viewport.fit(true);
    case '+':
    case '=':
      return () => viewport.zoomBy(STEP);
    case '-':
      return () => viewport.zoomBy(1 / STEP);
    case 'ContextMenu':
      return () => openMenu(event.currentTarget);
    case 'F10':
      return event.shiftKey ? () => openMenu(event.currentTarget) : undefined;
    default: {
      const { layout, diagram } = model;
      const next = layout && walk(event.key, node.key, diagram.shape, layout);
      return next || event.key.startsWith('Arrow') ? () => go(next) : undefined;
    }
  }
}
