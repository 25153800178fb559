/** The picture of one run, with what tells the run apart. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { KeyboardEvent, ReactElement } from 'react';
import { useEffect, useRef } from 'react';

import type { RunView } from '../api/types';
import { StatusMark } from '../components/status';
import { openMenu } from '../components/tree';
import { formatNumber, formatParameters } from '../format';
import type { IRowHandlers } from '../runs/handlers';
import { runState } from '../status';
import type { IRunTarget } from '../targets';
import { decodeNumber } from '../values';
import type { GalleryModel } from './model';
import type { IPicture } from './pictures';

/** Pictures are fetched when they are as near to the view as this. */
const NEAR = '400px';

export function Tile(props: {
  readonly model: GalleryModel;
  readonly trans: TranslationBundle;
  readonly handlers: IRowHandlers;
  readonly target: IRunTarget;
  readonly picture: IPicture;
  readonly isActive: boolean;
  readonly onActive: () => void;
}): ReactElement {
  const { model, trans, handlers, target, picture } = props;
  const { run } = target;
  const node = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (picture.state !== 'waiting' || !node.current) {
      return;
    }
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(entry => entry.isIntersecting)) {
          model.want(run);
        }
      },
      { rootMargin: NEAR }
    );
    observer.observe(node.current);
    return () => observer.disconnect();
  }, [model, run, picture.state]);
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const isMenu = event.key === 'F10' && event.shiftKey;
    if (isMenu || event.key === 'ContextMenu') {
      event.preventDefault();
      openMenu(event.currentTarget);
    }
  };
  const name = formatParameters(run.parameters, model.names);
  return (
    <button
      ref={node}
      className="jp-Mlops-tile jp-Mlops-item jp-Mlops-run"
      data-run-id={run.id}
      data-picture={picture.state}
      data-best={run.id === target.sweep.best?.run_id}
      tabIndex={props.isActive ? 0 : -1}
      title={trans.__('Open run %1', run.index)}
      onClick={() => handlers.open(target)}
      onContextMenu={() => handlers.point(target)}
      onFocus={() => {
        props.onActive();
        handlers.select(target);
      }}
      onKeyDown={onKeyDown}
    >
      <Caption run={run} name={name} trans={trans} />
      {picture.url !== null ? (
        <img src={picture.url} alt={trans.__('Picture of %1', name)} />
      ) : (
        <span className="jp-Mlops-noPicture jp-Mlops-muted">
          {pictureText(picture, run, trans)}
        </span>
      )}
    </button>
  );
}

function Caption(props: {
  readonly run: RunView;
  readonly name: string;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { run, name, trans } = props;
  const value = decodeNumber(run.value);
  return (
    <span className="jp-Mlops-line">
      <StatusMark status={runState(run)} trans={trans} />
      <span className="jp-Mlops-ellipsis jp-Mlops-fileName" title={name}>
        {name || `#${String(run.index)}`}
      </span>
      {run.metric !== null && value !== null && (
        <span className="jp-Mlops-number" title={String(value)}>
          {run.metric} {formatNumber(value)}
        </span>
      )}
    </span>
  );
}

/** What is said in place of a picture. */
function pictureText(
  picture: IPicture,
  run: RunView,
  trans: TranslationBundle
): string {
  switch (picture.state) {
    case 'missing':
      return trans.__('This run has none.');
    case 'failed':
      return picture.message ?? '';
    case 'waiting':
      return run.finished_at === null
        ? trans.__('It has not ended yet.')
        : trans.__('Loading…');
    default:
      return trans.__('Loading…');
  }
}
