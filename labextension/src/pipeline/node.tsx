/** One node of the graph. It is rendered again only if something about it has changed. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { memo } from 'react';

import type { StageView } from '../api/types';
import { useNow } from '../components/hooks';
import { SHAPES, statusWord } from '../components/status';
import type { DiagramNode, IFrame } from './diagram';
import type { IBox } from './layout';
import type { Measure } from './sizes';
import { INSET, shorten, TIME, titleOf } from './sizes';
import {
  countStates,
  overallState,
  reasonText,
  stageLabel,
  STATES,
  statesText,
  timeText
} from './words';

/** What nodes do when they are used; the same object for all, for as long as they are drawn. */
export interface INodeHandlers {
  /** A click: open its sheet. */
  readonly open: (node: DiagramNode) => void;
  /** It got the focus. */
  readonly focus: (node: DiagramNode) => void;
  /** The pointer has come to it or left it. */
  readonly hover: (key: string | null) => void;
  /** Its menu is about to open. */
  readonly menu: (node: DiagramNode) => void;
  /** Draw the stages of a group one by one, or as one. */
  readonly fold: (group: string, isFolded: boolean) => void;
  readonly press: (node: DiagramNode, event: KeyboardEvent<SVGElement>) => void;
}

export interface INodeProps {
  readonly node: DiagramNode;
  readonly box: IBox;
  readonly isSelected: boolean;
  /** Whether the Tab key reaches it. */
  readonly isActive: boolean;
  readonly measure: Measure;
  readonly handlers: INodeHandlers;
  readonly trans: TranslationBundle;
}

export const NodeView = memo(function NodeView(
  props: INodeProps
): ReactElement {
  const { node, box, handlers, trans } = props;
  const state = overallState(node.stages);
  const label = nodeLabel(node, trans);
  return (
    <g
      className="jp-Mlops-node jp-Mlops-stage"
      data-key={node.key}
      data-status={state}
      data-kind={node.kind === 'group' ? 'group' : node.stages[0].kind}
      transform={`translate(${box.x} ${box.y})`}
      role="button"
      tabIndex={props.isActive ? 0 : -1}
      aria-label={label}
      aria-pressed={props.isSelected}
      onClick={() => handlers.open(node)}
      onFocus={() => handlers.focus(node)}
      onContextMenu={() => handlers.menu(node)}
      onMouseEnter={() => handlers.hover(node.key)}
      onMouseLeave={() => handlers.hover(null)}
      onKeyDown={event => handlers.press(node, event)}
    >
      <title>{label}</title>
      {node.kind === 'group' && (
        <rect
          className="jp-Mlops-nodeBehind"
          x={4}
          y={4}
          width={box.width}
          height={box.height}
          rx={4}
        />
      )}
      <rect
        className="jp-Mlops-nodeBox"
        width={box.width}
        height={box.height}
        rx={4}
      />
      <g
        className="jp-Mlops-nodeMark"
        data-status={state}
        transform="translate(8 7) scale(.875)"
      >
        {SHAPES[state]}
      </g>
      {node.kind === 'group' ? (
        <GroupText {...props} stages={node.stages} />
      ) : (
        <StageText {...props} stage={node.stages[0]} />
      )}
    </g>
  );
});

function StageText(
  props: INodeProps & { readonly stage: StageView }
): ReactElement {
  const { stage, box, measure, trans } = props;
  const word = statusWord(stage.state, trans);
  const reason = reasonText(stage, trans);
  const text = reason ? `${word} · ${reason}` : word;
  return (
    <>
      <Name {...props} width={box.width - INSET.left - TIME} />
      {stage.state === 'running' ? (
        <RunningTime {...props} />
      ) : (
        <Time box={box} text={timeText(stage, 0, trans)} />
      )}
      <text className="jp-Mlops-nodeReason" x={INSET.left} y={34}>
        {shorten(text, box.width - INSET.left - INSET.right, true, measure)}
      </text>
    </>
  );
}

function GroupText(
  props: INodeProps & { readonly stages: readonly StageView[] }
): ReactElement {
  const { node, stages, box, measure, handlers, trans } = props;
  const space = box.width - INSET.left - INSET.right;
  return (
    <>
      <Name {...props} width={space - 16} />
      {/* The keyboard unfolds with the space bar. */}
      <g
        className="jp-Mlops-nodeFold"
        role="presentation"
        transform={`translate(${box.width - 26} 4)`}
        onClick={event => {
          event.stopPropagation();
          handlers.fold(node.key, false);
        }}
      >
        <rect width={22} height={20} rx={2} />
        <path d="m8 5 6 5-6 5z" />
      </g>
      <text className="jp-Mlops-nodeReason" x={INSET.left} y={33}>
        {shorten(statesText(stages, trans), space, true, measure)}
      </text>
      <Bar stages={stages} width={box.width - INSET.left - INSET.right} />
    </>
  );
}

function Name(props: INodeProps & { readonly width: number }): ReactElement {
  const { node, measure, width } = props;
  return (
    <text className="jp-Mlops-nodeName" x={INSET.left} y={18}>
      {shorten(titleOf(node), width, false, measure)}
    </text>
  );
}

function Time(props: {
  readonly box: IBox;
  readonly text: string;
}): ReactElement {
  return (
    <text
      className="jp-Mlops-nodeTime"
      x={props.box.width - INSET.right}
      y={18}
      textAnchor="end"
    >
      {props.text}
    </text>
  );
}

/** Counts by itself, so that the node need not be rendered again. */
function RunningTime(
  props: INodeProps & { readonly stage: StageView }
): ReactElement {
  const { box, stage, trans } = props;
  return <Time box={box} text={timeText(stage, useNow(1000), trans)} />;
}

/** One part for each state, as long as there are stages in it. */
function Bar(props: {
  readonly stages: readonly StageView[];
  readonly width: number;
}): ReactElement {
  const { stages, width } = props;
  const counts = countStates(stages);
  let x = INSET.left;
  return (
    <g className="jp-Mlops-nodeBar">
      {[...STATES].reverse().map(state => {
        const length = (width * (counts.get(state) ?? 0)) / stages.length;
        const start = x;
        x += length;
        return (
          <rect
            key={state}
            data-status={state}
            x={start}
            y={41}
            width={length}
            height={5}
          />
        );
      })}
    </g>
  );
}

/** The frame around the stages of an unfolded group. */
export const FrameView = memo(function FrameView(props: {
  readonly frame: IFrame;
  readonly box: IBox;
  readonly handlers: INodeHandlers;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { frame, box, handlers, trans } = props;
  const name = `${frame.name} (${String(frame.stages.length)})`;
  return (
    <g
      className="jp-Mlops-frame"
      transform={`translate(${box.x} ${box.y})`}
      data-frame={frame.key}
    >
      <rect width={box.width} height={box.height} rx={6} />
      {/* The keyboard folds with the space bar, at any stage in it. */}
      <g
        className="jp-Mlops-nodeFold"
        role="presentation"
        onClick={() => handlers.fold(frame.key, true)}
      >
        <title>{trans.__('Show the stages of %1 as one', frame.name)}</title>
        <rect width={box.width} height={24} rx={6} />
        <path d="m8 9 5 7 5-7z" />
        <text x={24} y={17}>
          {name}
        </text>
      </g>
    </g>
  );
});

/** What a screen reader says of a node. */
export function nodeLabel(node: DiagramNode, trans: TranslationBundle): string {
  return node.kind === 'group'
    ? `${titleOf(node)}, ${statesText(node.stages, trans)}`
    : stageLabel(node.stages[0], trans);
}
