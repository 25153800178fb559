/** The stages as rows: in the sidebar, and in the tab as a list. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useState } from 'react';

import { useNow } from '../components/hooks';
import { StatusMark, statusWord } from '../components/status';
import { Tree, TreeRow } from '../components/tree';
import { formatAgo, formatTime } from '../format';
import type { StageView } from '../api/types';
import type { ProjectStore } from '../projects/store';
import type { IRowHandlers } from '../runs/handlers';
import type { IStageTarget } from '../targets';
import { StatesBar } from './bar';
import type { IGroupRow, IStageRow, Rail, Row } from './rows';
import { failedNames } from './rows';
import {
  overallState,
  reasonText,
  stageLabel,
  statesText,
  timeText
} from './words';

/** So many characters fit beside each other in the sidebar; else the reason gets its own line. */
const LINE = 32;

export interface IStageTreeProps {
  readonly store: ProjectStore;
  readonly trans: TranslationBundle;
  readonly handlers: Pick<IRowHandlers, 'open' | 'point' | 'select'>;
  /** The rows; those of the stages that it is given come first. */
  readonly rows: (held: ReadonlySet<string> | null) => readonly Row[];
  readonly onFold: (group: string, isFolded: boolean) => void;
  /** Whether there is space for more. */
  readonly isWide: boolean;
}

export function StageTree(props: IStageTreeProps): ReactElement {
  const { store, trans } = props;
  const [held, setHeld] = useState<ReadonlySet<string> | null>(null);
  const now = useNow(store.pipeline.isActive ? 1000 : 30_000);
  const rows = props.rows(held);
  return (
    <div
      className="jp-Mlops-stages"
      data-wide={props.isWide}
      // Nothing moves while the pointer is over the rows.
      onMouseEnter={() => setHeld(failedNames(store.pipeline.stages))}
      onMouseLeave={() => setHeld(null)}
    >
      <Tree label={trans.__('Stages')} keys={rows.map(row => row.key)}>
        {rows.map(row =>
          row.kind === 'group' ? (
            <GroupRow {...props} key={row.key} row={row} />
          ) : (
            <StageRow {...props} key={row.key} row={row} now={now} />
          )
        )}
      </Tree>
    </div>
  );
}

function StageRow(
  props: IStageTreeProps & { readonly row: IStageRow; readonly now: number }
): ReactElement {
  const { row, now, trans, store, isWide } = props;
  const { stage } = row;
  const reason = reasonText(stage, trans);
  const time = timeText(stage, now, trans);
  const texts = [stage.name, reason, time];
  const length = texts.join(' ').length + 2 * row.level;
  const hasTwoLines = !isWide && reason !== '' && length > LINE;
  return (
    <TreeRow
      {...behaviour(props, {
        kind: 'stage',
        store,
        name: stage.name,
        stages: [stage]
      })}
      id={row.key}
      level={row.level}
      isExpanded={null}
      className="jp-Mlops-stage"
      data={{ 'data-stage': stage.name, 'data-status': stage.state }}
      title={[stage.name, stage.description, reason].filter(Boolean).join('\n')}
      label={stageLabel(stage, trans)}
    >
      <Rails rails={row.rails} />
      <span className="jp-Mlops-lines">
        <span className="jp-Mlops-line">
          <StatusMark status={stage.state} trans={trans} />
          <span className="jp-Mlops-stageName" data-kind={stage.kind}>
            {stage.name}
          </span>
          {isWide && (
            <span className="jp-Mlops-stageWord">
              {statusWord(stage.state, trans)}
            </span>
          )}
          <Reason stage={stage} text={hasTwoLines ? '' : reason} />
          <span className="jp-Mlops-number jp-Mlops-muted">{time}</span>
          {isWide && <When stage={stage} now={now} trans={trans} />}
        </span>
        {hasTwoLines && (
          <span className="jp-Mlops-line">
            <Reason stage={stage} text={reason} />
          </span>
        )}
      </span>
    </TreeRow>
  );
}

function Reason(props: {
  readonly stage: StageView;
  readonly text: string;
}): ReactElement {
  const isError = props.stage.state === 'failed';
  return (
    <span className={`jp-Mlops-reason jp-Mlops-${isError ? 'error' : 'muted'}`}>
      {props.text}
    </span>
  );
}

function When(props: {
  readonly stage: StageView;
  readonly now: number;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { finished_at: time } = props.stage;
  return (
    <span
      className="jp-Mlops-number jp-Mlops-muted jp-Mlops-when"
      title={time ? formatTime(time) : undefined}
    >
      {time ? formatAgo(time, props.now, props.trans) : ''}
    </span>
  );
}

function GroupRow(
  props: IStageTreeProps & { readonly row: IGroupRow }
): ReactElement {
  const { row, trans, store } = props;
  const { stages, name } = row;
  const texts = statesText(stages, trans);
  return (
    <TreeRow
      {...behaviour(props, { kind: 'stage', store, name, stages })}
      id={row.key}
      level={row.level}
      isExpanded={row.isExpanded}
      className="jp-Mlops-stage jp-Mlops-stageGroup"
      data={{ 'data-group': row.key, 'data-status': overallState(stages) }}
      title={`${name}\n${texts}`}
      label={`${name} (${String(stages.length)}), ${texts}`}
      lead={<Rails rails={row.rails} />}
      onExpand={isExpanded => props.onFold(row.key, !isExpanded)}
    >
      <span className="jp-Mlops-stageName">
        {name} ({stages.length})
      </span>
      <span className="jp-Mlops-reason jp-Mlops-muted">{texts}</span>
      <StatesBar stages={stages} />
    </TreeRow>
  );
}

function Rails(props: { readonly rails: readonly Rail[] }): ReactElement {
  return (
    <>
      {props.rails.map((rail, index) => (
        <span
          key={index}
          className="jp-Mlops-rail"
          data-rail={rail}
          aria-hidden="true"
        />
      ))}
    </>
  );
}

function behaviour(
  props: IStageTreeProps,
  target: IStageTarget
): {
  readonly onOpen: () => void;
  readonly onSelect: () => void;
  readonly onMenu: () => void;
} {
  const { handlers } = props;
  return {
    onOpen: () => handlers.open(target),
    onSelect: () => handlers.select(target),
    onMenu: () => handlers.point(target)
  };
}
