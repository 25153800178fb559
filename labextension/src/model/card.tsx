/** A model card: its eight parts, each with the line that would complete it, and the aliases. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { AliasView, PartView } from '../api/types';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { formatAgo, formatTime } from '../format';
import { FactList } from './facts';
import type { ModelTabModel } from './model';
import { partTitle, statusText, summary } from './words';

export interface ICardProps {
  readonly model: ModelTabModel;
  readonly trans: TranslationBundle;
  readonly onCommand: (id: string) => void;
  /** Open a file of the project. */
  readonly onOpen: (path: string) => void;
  /** Open a feature of the catalog. */
  readonly onFeature: (name: string) => void;
}

export function Card(props: ICardProps): ReactElement | null {
  const { model, trans } = props;
  useSignal(model.changed);
  const { card, problem } = model;
  if (!card) {
    return (
      <Unavailable
        problem={problem}
        trans={trans}
        onRetry={() => model.retry()}
      />
    );
  }
  return (
    <>
      <ul className="jp-Mlops-cardParts" aria-label={trans.__('Model card')}>
        {card.parts.map(part => (
          <CardPart key={part.name} {...props} part={part} />
        ))}
      </ul>
      {card.aliases.length > 0 && (
        <History aliases={card.aliases} trans={trans} />
      )}
      {card.record !== null && (
        <p className="jp-Mlops-cardRecord jp-Mlops-muted">
          {trans.__('The record for git is in %1.', card.record)}
        </p>
      )}
    </>
  );
}

/** What stands in place of what is not there: why, or that it is being fetched. */
export function Unavailable(props: {
  readonly problem: string | null;
  readonly trans: TranslationBundle;
  readonly onRetry: () => void;
}): ReactElement {
  const { problem, trans } = props;
  return (
    <div className="jp-Mlops-empty">
      <p>{problem ?? trans.__('Loading…')}</p>
      {problem !== null && (
        <Button small onClick={props.onRetry}>
          {trans.__('Retry')}
        </Button>
      )}
    </div>
  );
}

function CardPart(
  props: ICardProps & { readonly part: PartView }
): ReactElement {
  const { part, trans, onOpen, onFeature } = props;
  return (
    <li data-part={part.name} data-status={part.status}>
      <details>
        <summary>
          <PartMark status={part.status} trans={trans} />
          <strong>{partTitle(part.name, trans)}</strong>
          <span className="jp-Mlops-ellipsis">{summary(part, trans)}</span>
        </summary>
        <FactList facts={part.facts} onOpen={onOpen} onFeature={onFeature} />
      </details>
      {part.line !== null && <Lack {...props} line={part.line} />}
    </li>
  );
}

/** The line that would complete a part, and a way to do it from here. */
function Lack(
  props: ICardProps & { readonly part: PartView; readonly line: string }
): ReactElement {
  const { part, line, trans, onCommand } = props;
  return (
    <p className="jp-Mlops-lack">
      <span>
        {statusText(part.status, trans)}: {line}
      </span>
      {part.name === 'tags' && (
        <Button small onClick={() => onCommand(CommandIDs.describeModel)}>
          {trans.__('Describe…')}
        </Button>
      )}
    </p>
  );
}

const MARKS: Readonly<Record<PartView['status'], ReactElement>> = {
  present: <path d="m3 8.5 3.5 3.5L13 4.5" />,
  partial: <circle cx="8" cy="8" r="5.25" strokeDasharray="2.4 2" />,
  missing: <path d="m4 4 8 8m0-8-8 8" />
};

/** How complete a part is, by shape; the word is for those who do not see it. */
function PartMark(props: {
  readonly status: PartView['status'];
  readonly trans: TranslationBundle;
}): ReactElement {
  const word = statusText(props.status, props.trans);
  return (
    <span
      className="jp-Mlops-status"
      data-part-status={props.status}
      role="img"
      aria-label={word}
      title={word}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {MARKS[props.status]}
      </svg>
    </span>
  );
}

/** Who pointed which alias here, when and why; the newest first. */
function History(props: {
  readonly aliases: readonly AliasView[];
  readonly trans: TranslationBundle;
}): ReactElement {
  const { aliases, trans } = props;
  const now = useNow(60_000);
  return (
    <section className="jp-Mlops-history">
      <h3>{trans.__('Aliases')}</h3>
      <ul>
        {aliases.toReversed().map(each => (
          <li key={`${each.alias} ${each.at}`}>
            <span className="jp-Mlops-alias">@{each.alias}</span>{' '}
            <span className="jp-Mlops-muted" title={formatTime(each.at)}>
              {trans.__('by %1, %2', each.by, formatAgo(each.at, now, trans))}
            </span>{' '}
            {each.why}
          </li>
        ))}
      </ul>
    </section>
  );
}
