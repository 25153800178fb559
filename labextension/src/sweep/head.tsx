/** The head of a sweep's tab: what it came to, and what can be done. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { SweepView } from '../api/types';
import { decodeNumber } from '../values';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { SweepProgress } from '../components/progress';
import { StatusMark, statusWord } from '../components/status';
import { Toolbar } from '../components/toolbar';
import {
  formatAgo,
  formatDuration,
  formatNumber,
  formatParameters,
  formatTime,
  variedNames
} from '../format';
import type { Chosen } from '../runs/chosen';
import { countOf, isFinished, retryCount, type State } from '../status';
import type { SweepModel } from './model';

export interface ISweepHeadProps {
  readonly model: SweepModel;
  readonly chosen: Chosen;
  readonly trans: TranslationBundle;
  /** Run a command on the sweep. */
  readonly onCommand: (id: string) => void;
}

const STATES: readonly State[] = [
  'succeeded',
  'running',
  'queued',
  'failed',
  'pruned',
  'cancelled'
];

export function SweepHead(props: ISweepHeadProps): ReactElement {
  const { model, trans } = props;
  const { sweep, store } = model;
  useSignal(model.changed);
  useSignal(props.chosen.changed);
  if (!sweep) {
    return (
      <div className="jp-Mlops-sweepHead jp-Mlops-muted">
        {model.isGone
          ? trans.__('This sweep does not exist any more.')
          : trans.__('Loading…')}
      </div>
    );
  }
  return (
    <section className="jp-Mlops-sweepHead" aria-label={trans.__('Summary')}>
      {store.problem && (
        <Problem
          problem={store.problem}
          trans={trans}
          onRetry={() => void store.refresh()}
        />
      )}
      <div className="jp-Mlops-sweepTitle">
        <h2 title={sweep.notebook}>{sweep.notebook}</h2>
        <span>{trans._n('%1 run', '%1 runs', sweep.total)}</span>
        {STATES.filter(each => countOf(each, sweep.counts) > 0).map(status => (
          <span key={status} className="jp-Mlops-tally">
            <StatusMark status={status} trans={trans} />
            {countOf(status, sweep.counts)} {statusWord(status, trans)}
          </span>
        ))}
      </div>
      <Facts {...props} sweep={sweep} />
      <Actions {...props} sweep={sweep} />
    </section>
  );
}

type IWithSweep = ISweepHeadProps & { readonly sweep: SweepView };

/** The best run, and time left or taken. */
function Facts(props: IWithSweep): ReactElement {
  const { sweep, trans } = props;
  const now = useNow(5000);
  const best = decodeNumber(sweep.best?.value);
  const { remaining, duration, finished_at: end } = sweep;
  return (
    <div className="jp-Mlops-sweepFacts">
      {sweep.best && best !== null && sweep.metric !== null && (
        <span>
          {trans.__('best %1', sweep.metric)}{' '}
          <strong title={String(best)}>{formatNumber(best)}</strong>{' '}
          {trans.__(
            'at %1',
            formatParameters(
              sweep.best.parameters,
              variedNames(sweep, props.model.runs)
            )
          )}
        </span>
      )}
      {!isFinished(sweep.status) && (
        <SweepProgress sweep={sweep} trans={trans} />
      )}
      {remaining !== null && (
        <span className="jp-Mlops-muted">
          {trans.__('about %1 left', formatDuration(remaining, trans))}
        </span>
      )}
      {end !== null && duration !== null && (
        <span className="jp-Mlops-muted" title={formatTime(end)}>
          {trans.__(
            '%1, took %2',
            formatAgo(end, now, trans),
            formatDuration(duration, trans)
          )}
        </span>
      )}
      {sweep.source_changed && (
        <span className="jp-Mlops-muted">
          {trans.__('the notebook has changed since')}
        </span>
      )}
    </div>
  );
}

function Actions(props: IWithSweep): ReactElement {
  const { sweep, trans } = props;
  const { succeeded } = sweep.counts;
  const again = retryCount(sweep.counts);
  const { path } = props.model.store.project;
  const selected = props.chosen.of(path).length;
  return (
    <Toolbar label={trans.__('Actions')}>
      <Button
        className="jp-mod-styled jp-mod-accept"
        small
        disabled={succeeded === 0}
        onClick={() => props.onCommand(CommandIDs.registerBest)}
      >
        {trans.__('Register best…')}
      </Button>
      {again > 0 && (
        <Button small onClick={() => props.onCommand(CommandIDs.retrySweep)}>
          {trans._n('Retry %1 run', 'Retry %1 runs', again)}
        </Button>
      )}
      {!isFinished(sweep.status) && (
        <Button small onClick={() => props.onCommand(CommandIDs.cancelSweep)}>
          {trans.__('Cancel…')}
        </Button>
      )}
      {sweep.kind === 'sweep' && (
        <Button small onClick={() => props.onCommand(CommandIDs.openGallery)}>
          {trans.__('Gallery')}
        </Button>
      )}
      <Button small onClick={() => props.onCommand(CommandIDs.openSource)}>
        {trans.__('Open notebook')}
      </Button>
      {(sweep.total > 1 || selected > 1) && (
        <Button small onClick={() => props.onCommand(CommandIDs.compareRuns)}>
          {selected > 1
            ? trans.__('Compare %1 selected', selected)
            : trans.__('Compare')}
        </Button>
      )}
      {selected > 0 && (
        <Button small minimal onClick={() => props.chosen.clear(path)}>
          {trans.__('Select none')}
        </Button>
      )}
    </Toolbar>
  );
}
