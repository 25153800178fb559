/** The head of a model version's tab: what it is, how complete its record is, what can be done. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { CardView } from '../api/types';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { Tabs } from '../components/tabs';
import { Toolbar } from '../components/toolbar';
import { formatAgo, formatTime } from '../format';
import type { ModelTabModel } from './model';
import type { Part } from './state';
import { PARTS } from './state';
import { tabLabel } from './words';

export interface IModelHeadProps {
  readonly model: ModelTabModel;
  readonly trans: TranslationBundle;
  /** Run a command on the version. */
  readonly onCommand: (id: string) => void;
  readonly idOf: (part: Part) => string;
}

export function ModelHead(props: IModelHeadProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { listed, store } = model;
  if (!listed) {
    return (
      <div className="jp-Mlops-sweepHead jp-Mlops-muted">
        {model.isGone
          ? trans.__('This version does not exist any more.')
          : trans.__('Loading…')}
      </div>
    );
  }
  return (
    <section
      className="jp-Mlops-sweepHead jp-Mlops-modelHead"
      aria-label={trans.__('Summary')}
    >
      {store.problem && (
        <Problem
          problem={store.problem}
          trans={trans}
          onRetry={() => void store.refresh()}
        />
      )}
      <div className="jp-Mlops-sweepTitle">
        <h2>{model.name}</h2>
        <Versions model={model} trans={trans} />
        <Complete card={model.card} trans={trans} />
        <Aliases {...props} />
        <Age iso={listed.created_at} trans={trans} />
      </div>
      {listed.description !== '' && (
        <p className="jp-Mlops-notes">{listed.description}</p>
      )}
      <Reproduced text={listed.tags['mlops.reproduced']} trans={trans} />
      <Actions {...props} />
      <Tabs
        model={model}
        parts={PARTS}
        label={trans.__('What is known of the version')}
        nameOf={part => tabLabel(part, trans)}
        idOf={props.idOf}
      />
    </section>
  );
}

/** Which version is shown. */
function Versions(props: {
  readonly model: ModelTabModel;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { model, trans } = props;
  return (
    <select
      className="jp-mod-styled jp-Mlops-versions"
      aria-label={trans.__('Version')}
      value={model.version}
      onChange={event => model.switchTo(Number(event.target.value))}
    >
      {model.versions.map(({ version }) => (
        <option key={version} value={version}>
          {trans.__('v%1', version)}
        </option>
      ))}
    </select>
  );
}

function Complete(props: {
  readonly card: CardView | null;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { card, trans } = props;
  return (
    card && (
      <span className="jp-Mlops-completeness" data-complete={card.complete}>
        {trans.__('%1/%2 complete', card.complete, card.parts.length)}
      </span>
    )
  );
}

/** The aliases, each with who set it, when and why. */
function Aliases(props: IModelHeadProps): ReactElement {
  const { model, trans } = props;
  const set = new Map(model.card?.aliases.map(each => [each.alias, each]));
  return (
    <span className="jp-Mlops-aliases">
      {model.listed?.aliases.map(alias => {
        const known = set.get(alias);
        const title =
          known && trans.__('by %1, %2', known.by, formatTime(known.at));
        return (
          <span key={alias} className="jp-Mlops-alias" title={title}>
            @{alias}
          </span>
        );
      })}
    </span>
  );
}

function Age(props: {
  readonly iso: string;
  readonly trans: TranslationBundle;
}): ReactElement {
  const now = useNow(60_000);
  return (
    <span className="jp-Mlops-muted" title={formatTime(props.iso)}>
      {formatAgo(props.iso, now, props.trans)}
    </span>
  );
}

/** The verdict of building it again: an outcome and a time. */
function Reproduced(props: {
  readonly text: string | undefined;
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { text, trans } = props;
  const now = useNow(60_000);
  const [outcome, at] = text?.split(' ') ?? [];
  if (outcome === undefined || at === undefined) {
    return null;
  }
  const when = formatAgo(at, now, trans);
  return (
    <p title={formatTime(at)} data-outcome={outcome}>
      {outcome === 'same'
        ? trans.__('Built again %1: the same metrics and predictions.', when)
        : outcome === 'different'
          ? trans.__('Built again %1: with a different result.', when)
          : trans.__('Built again %1: that failed.', when)}
    </p>
  );
}

function Actions(props: IModelHeadProps): ReactElement {
  const { model, trans, onCommand } = props;
  const hasRun = model.listed?.run_id !== null;
  const act = (id: string) => (): void => onCommand(id);
  return (
    <Toolbar label={trans.__('Actions')}>
      <Button small onClick={act(CommandIDs.serveModel)}>
        {trans.__('Serve')}
      </Button>
      <Button small onClick={act(CommandIDs.predictModel)}>
        {trans.__('Batch…')}
      </Button>
      <Button small onClick={act(CommandIDs.setAlias)}>
        {trans.__('Set alias…')}
      </Button>
      <Button small onClick={act(CommandIDs.describeModel)}>
        {trans.__('Describe…')}
      </Button>
      {hasRun && (
        <>
          <Button small onClick={act(CommandIDs.openRunOfModel)}>
            {trans.__('Open run')}
          </Button>
          <Button small onClick={act(CommandIDs.openModelRun)}>
            {trans.__('Open notebook')}
          </Button>
        </>
      )}
      <Button small onClick={act(CommandIDs.reproduceModel)}>
        {trans.__('Build again…')}
      </Button>
    </Toolbar>
  );
}
