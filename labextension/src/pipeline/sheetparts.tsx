/** The parts of a stage's sheet. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useEffect, useRef } from 'react';

import type { StageDetail, StageView } from '../api/types';
import { useNow } from '../components/hooks';
import { StatusMark, statusWord } from '../components/status';
import { formatAgo, formatDuration, formatSize, formatTime } from '../format';
import type { PipelineTabModel } from './tabmodel';
import { reasonText, timeText } from './words';

interface IPartProps {
  readonly model: PipelineTabModel;
  readonly trans: TranslationBundle;
}

/** The state in a word, how long it took, and when. */
export function Facts(props: {
  readonly stage: StageView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { stage, trans } = props;
  const now = useNow(stage.state === 'running' ? 1000 : 30_000);
  const reason =
    stage.state === 'running' || stage.state === 'succeeded'
      ? reasonText(stage, trans)
      : '';
  const time = timeText(stage, now, trans);
  return (
    <p className="jp-Mlops-muted">
      {[
        statusWord(stage.state, trans),
        reason,
        time && stage.state !== 'running' ? trans.__('took %1', time) : time
      ]
        .filter(Boolean)
        .join(' · ')}
      {stage.finished_at !== null && (
        <span title={formatTime(stage.finished_at)}>
          {` · ${formatAgo(stage.finished_at, now, trans)}`}
        </span>
      )}
    </p>
  );
}

/** Why it will run, or why it will not. */
export function Why(
  props: IPartProps & { readonly stage: StageView }
): ReactElement {
  const { stage, trans } = props;
  const { sheet } = props.model;
  const part = useRef<HTMLElement>(null);
  useEffect(() => {
    if (sheet.takeExplained()) {
      part.current?.focus();
    }
  });
  const hasRun = stage.state === 'succeeded' || stage.state === 'failed';
  return (
    <section
      ref={part}
      className="jp-Mlops-sheetPart jp-Mlops-why"
      tabIndex={-1}
    >
      <h3>{hasRun ? trans.__('Why it ran') : trans.__('Why it will run')}</h3>
      {stage.causes.length > 0 ? (
        <ul>
          {stage.causes.map(cause => (
            <li key={`${cause.kind} ${cause.text}`} data-cause={cause.kind}>
              {cause.kind === 'upstream' &&
              props.model.pipeline.stage(cause.what) ? (
                <button
                  className="jp-Mlops-link"
                  onClick={() => props.model.select(cause.what)}
                >
                  {cause.text}
                </button>
              ) : (
                cause.text
              )}
            </li>
          ))}
        </ul>
      ) : (
        <p className="jp-Mlops-muted">
          {stage.state === 'frozen'
            ? trans.__('It is frozen: DVC runs it only after dvc unfreeze.')
            : hasRun
              ? trans.__('It was asked for.')
              : trans.__('It will not: nothing has changed since it ran.')}
        </p>
      )}
    </section>
  );
}

/** The stages before and after it. */
export function Neighbours(
  props: IPartProps & { readonly detail: StageDetail }
): ReactElement {
  const { detail, trans } = props;
  const { upstream } = detail.stage;
  return (
    <>
      {upstream.length > 0 && (
        <section className="jp-Mlops-sheetPart">
          <h3>{trans.__('Comes after')}</h3>
          <Links {...props} names={upstream} />
        </section>
      )}
      {detail.downstream.length > 0 && (
        <section className="jp-Mlops-sheetPart">
          <h3>{trans.__('Is followed by')}</h3>
          <Links {...props} names={detail.downstream} />
        </section>
      )}
    </>
  );
}

/** Stages by name; each opens its sheet. */
export function Links(
  props: IPartProps & { readonly names: readonly string[] }
): ReactElement {
  const { model, names, trans } = props;
  return (
    <ul className="jp-Mlops-stageLinks">
      {names.map(name => {
        const stage = model.pipeline.stage(name);
        return (
          <li key={name}>
            {stage && <StatusMark status={stage.state} trans={trans} />}
            <button
              className="jp-Mlops-link"
              onClick={() => model.select(name)}
            >
              {name}
            </button>
            <span className="jp-Mlops-muted jp-Mlops-ellipsis">
              {stage && reasonText(stage, trans)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export function Resources(props: {
  readonly detail: StageDetail;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { detail, trans } = props;
  const texts = [
    trans._n('%1 core', '%1 cores', detail.cpus),
    detail.memory === null
      ? ''
      : trans.__('%1 of memory', formatSize(detail.memory, trans)),
    detail.gpus > 0 ? trans._n('%1 GPU', '%1 GPUs', detail.gpus) : '',
    detail.timeout === null
      ? ''
      : trans.__('%1 at most', formatDuration(detail.timeout, trans)),
    detail.retries > 0
      ? trans._n('%1 retry', '%1 retries', detail.retries)
      : '',
    detail.frozen ? trans.__('frozen') : '',
    detail.always_changed ? trans.__('always runs') : ''
  ];
  return (
    <section className="jp-Mlops-sheetPart">
      <h3>{trans.__('Resources')}</h3>
      <p>{texts.filter(Boolean).join(' · ')}</p>
    </section>
  );
}

/** The last lines that it printed. */
export function Log(props: {
  readonly log: string;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { log, trans } = props;
  return log ? (
    <section className="jp-Mlops-sheetPart">
      <h3>{trans.__('Log')}</h3>
      {/* It scrolls; the keyboard has to reach it. */}
      <pre
        className="jp-Mlops-log"
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        aria-label={trans.__('The last lines that it printed')}
      >
        {log}
      </pre>
    </section>
  ) : null;
}
