/** The head of the panel: which project, and one line of truth about it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import {
  Button,
  caretDownEmptyIcon,
  ellipsesIcon
} from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { ProjectView, StatusView } from '../api/types';
import { useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { StatusMark } from '../components/status';
import { busyText } from '../environment/words';
import { formatWaiting } from '../format';
import type { PipelineStore } from '../projects/pipeline';
import type { RunsModel } from '../runs/model';

export interface IHeaderProps {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
  /** Open the menu of projects below a button. */
  readonly onProjects: (button: HTMLElement) => void;
  /** Open the menu of what concerns the whole panel. */
  readonly onMore: (button: HTMLElement) => void;
}

export function Header(props: IHeaderProps): ReactElement {
  const { model, trans } = props;
  const { projects, store } = model;
  useSignal(model.changed);
  const problem = projects.problem ?? store?.problem ?? null;
  const project = store?.project;
  return (
    <header className="jp-Mlops-header" aria-label={trans.__('Project')}>
      <div className="jp-Mlops-line">
        <button
          className="jp-Mlops-project"
          aria-haspopup="menu"
          aria-label={trans.__('Project %1', projectName(project, trans))}
          title={project && projectTitle(project, trans)}
          onClick={event => props.onProjects(event.currentTarget)}
        >
          <span className="jp-Mlops-ellipsis">
            {projectName(project, trans)}
          </span>
          <caretDownEmptyIcon.react tag="span" elementSize="normal" />
        </button>
        <Button
          minimal
          small
          aria-haspopup="menu"
          title={trans.__('More actions')}
          onClick={event => props.onMore(event.currentTarget)}
        >
          <ellipsesIcon.react tag="span" elementSize="normal" />
        </Button>
      </div>
      {problem ? (
        <Problem
          problem={problem}
          trans={trans}
          onRetry={() => void model.retry()}
        />
      ) : (
        store?.status && (
          <StatusLine
            status={store.status}
            pipeline={store.pipeline}
            trans={trans}
          />
        )
      )}
    </header>
  );
}

/** Counts and cores, or what needs attention. */
function StatusLine(props: {
  readonly status: StatusView;
  readonly pipeline: PipelineStore;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { status, pipeline, trans } = props;
  useSignal(pipeline.changed);
  const progress = pipeline.isActive ? pipeline.progress : null;
  if (status.problem !== null) {
    return (
      <div className="jp-Mlops-truth jp-mod-problem" role="status">
        {status.problem}
      </div>
    );
  }
  const counts = [
    status.running > 0 ? trans.__('%1 running', status.running) : '',
    status.queued > 0 ? trans.__('%1 queued', status.queued) : '',
    progress ? trans.__('pipeline %1/%2', progress.done, progress.total) : '',
    status.unsynced > 0
      ? formatWaiting(status.unsynced, status.unsynced_values, trans)
      : ''
  ].filter(Boolean);
  const isRunning = status.running > 0 || progress !== null;
  return (
    <div className="jp-Mlops-truth" role="status">
      {(isRunning || status.queued > 0) && (
        <StatusMark status={isRunning ? 'running' : 'queued'} trans={trans} />
      )}
      <span className="jp-Mlops-ellipsis">
        {counts.length ? counts.join(' · ') : trans.__('Nothing is running')}
      </span>
      <Cores status={status} trans={trans} />
    </div>
  );
}

/** The cores that are busy, of all, where runs are: on this machine, on clusters. */
function Cores(props: {
  readonly status: StatusView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { status, trans } = props;
  const { cores, cores_held: held, cores_used: used, clusters } = status;
  const here = { cores, cores_used: held };
  const places =
    used > 0 || clusters.length === 0 ? [here, ...clusters] : clusters;
  const busy = places.reduce((sum, each) => sum + each.cores_used, 0);
  const all = places.reduce((sum, each) => sum + each.cores, 0);
  const title = [
    trans.__(
      'Cores that runs hold: %1 by this project, %2 by all, of %3',
      used,
      held,
      cores
    ),
    ...clusters.map(each =>
      trans.__(
        'Cores of %1: %2 by this project, of %3',
        each.name,
        each.cores_used,
        each.cores
      )
    )
  ];
  return (
    <span className="jp-Mlops-number jp-Mlops-muted" title={title.join('\n')}>
      {busyText(busy, all, trans)}
    </span>
  );
}

function projectName(
  project: ProjectView | undefined,
  trans: TranslationBundle
): string {
  return project ? project.name || trans.__('Home') : '…';
}

function projectTitle(project: ProjectView, trans: TranslationBundle): string {
  const place = `/${project.path}`;
  return project.marker === 'folder'
    ? place
    : trans.__('%1, marked by %2', place, project.marker);
}
