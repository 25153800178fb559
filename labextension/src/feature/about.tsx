/** What a feature's author says of it, and where it comes from and goes to. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement, ReactNode } from 'react';

import type { FeatureDetail, FeatureModel, SourceView } from '../api/types';
import { useNow } from '../components/hooks';
import { formatAgo, formatDuration, formatTime } from '../format';
import { isReadableFile } from './words';

export interface IAboutProps {
  readonly detail: FeatureDetail;
  readonly trans: TranslationBundle;
  /** Open what a node of the lineage stands for. */
  readonly onNode: (kind: string, name: string) => void;
  /** Open a file of the project. */
  readonly onOpen: (path: string) => void;
}

export function About(props: IAboutProps): ReactElement {
  const { detail, trans } = props;
  return (
    <>
      <section aria-label={trans.__('About')}>
        <h3>{trans.__('About')}</h3>
        <dl className="jp-Mlops-factList">
          {factsOf(props).map(([label, value]) => (
            <div key={label}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {detail.sources.length > 0 && <Sources {...props} />}
      <Uses {...props} />
    </>
  );
}

function factsOf(
  props: IAboutProps
): readonly (readonly [string, ReactNode])[] {
  const { detail, trans, onNode } = props;
  const { feature, lookback, partition, request, twins, computation } = detail;
  const { owner, entity, timestamp, ttl, tags, sensitivity, cost } = feature;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [trans.__('Owner'), owner ?? trans.__('nobody is named')],
    [trans.__('Entity'), entity.join(', ')],
    [
      trans.__('Time'),
      timestamp ?? trans.__('none, for its values never change')
    ],
    [
      trans.__('A value holds'),
      ttl === null ? trans.__('for ever') : formatDuration(ttl, trans)
    ],
    [trans.__('Looks back'), lookback && formatDuration(lookback, trans)],
    [trans.__('Tags'), tags.length > 0 && <Chips texts={tags} />],
    [trans.__('Sensitivity'), sensitivity],
    [trans.__('Said to be'), cost],
    [trans.__('From the request'), request.join(', ')],
    [trans.__('Partition'), !feature.on_demand && timestamp && partition],
    [
      trans.__('Version'),
      computation && `${computation.version} · ${computation.engine}`
    ],
    [
      trans.__('Same code'),
      twins.length > 0 && <Links kind="feature" names={twins} onNode={onNode} />
    ]
  ];
  return facts.filter(([, value]) => Boolean(value));
}

function Chips(props: { readonly texts: readonly string[] }): ReactElement {
  return (
    <span className="jp-Mlops-chips">
      {props.texts.map(text => (
        <span key={text} className="jp-Mlops-alias">
          {text}
        </span>
      ))}
    </span>
  );
}

function Links(props: {
  readonly kind: string;
  readonly names: readonly string[];
  readonly onNode: IAboutProps['onNode'];
}): ReactElement {
  const { kind, names, onNode } = props;
  return (
    <ul className="jp-Mlops-factItems">
      {names.map(name => (
        <li key={name}>
          <button className="jp-Mlops-link" onClick={() => onNode(kind, name)}>
            {name}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Sources(props: IAboutProps): ReactElement {
  const { detail, trans } = props;
  return (
    <section aria-label={trans.__('Sources')}>
      <h3>{trans.__('Sources')}</h3>
      <ul className="jp-Mlops-featureSources">
        {detail.sources.map(source => (
          <Source key={source.name} {...props} source={source} />
        ))}
      </ul>
    </section>
  );
}

function Source(
  props: IAboutProps & { readonly source: SourceView }
): ReactElement {
  const { source, trans, onOpen } = props;
  const { name, place, owner, description, changed_at, freshness, late } =
    source;
  const now = useNow(60_000);
  return (
    <li data-source={name} tabIndex={-1}>
      <strong>{name}</strong>{' '}
      {isReadableFile(place) ? (
        <button className="jp-Mlops-link" onClick={() => onOpen(place)}>
          {place}
        </button>
      ) : (
        <span className="jp-Mlops-place">{place}</span>
      )}
      <span className="jp-Mlops-muted">
        {[
          ...(owner === null ? [] : [owner]),
          ...(description === '' ? [] : [description])
        ].map(text => ` · ${text}`)}
        {changed_at !== null && (
          <span title={formatTime(changed_at)}>
            {` · ${trans.__('changed %1', formatAgo(changed_at, now, trans))}`}
          </span>
        )}
      </span>
      {late && freshness !== null && (
        <span className="jp-Mlops-late">
          {trans.__(
            '↻ late: it should be no older than %1',
            formatDuration(freshness, trans)
          )}
        </span>
      )}
    </li>
  );
}

/** The models that were trained with it, and the endpoints that serve them. */
function Uses(props: IAboutProps): ReactElement {
  const { detail, trans, onNode } = props;
  const { endpoints, downstream } = detail;
  const models = detail.models ?? [];
  const isUsed = models.length + endpoints.length + downstream.length > 0;
  return (
    <section aria-label={trans.__('Used by')}>
      <h3>{trans.__('Used by')}</h3>
      {detail.models ? (
        !isUsed && (
          <p className="jp-Mlops-muted">
            {trans.__('No feature, model or endpoint uses it yet.')}
          </p>
        )
      ) : (
        <p className="jp-Mlops-muted" role="status">
          {detail.models_problem ?? trans.__('Looking for models…')}
        </p>
      )}
      <ul className="jp-Mlops-uses">
        {endpoints.map(name => (
          <li key={`endpoint ${name}`}>
            <button
              className="jp-Mlops-link"
              onClick={() => onNode('endpoint', name)}
            >
              {name}
            </button>{' '}
            <span className="jp-Mlops-muted">{trans.__('endpoint')}</span>
          </li>
        ))}
        {models.map(model => (
          <Model
            key={`${model.name}/${model.version}`}
            {...props}
            model={model}
          />
        ))}
        {downstream.map(name => (
          <li key={name}>
            <button
              className="jp-Mlops-link"
              onClick={() => onNode('feature', name)}
            >
              {name}
            </button>{' '}
            <span className="jp-Mlops-muted">{trans.__('feature')}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Model(
  props: IAboutProps & { readonly model: FeatureModel }
): ReactElement {
  const { trans, onNode } = props;
  const { name, version, aliases, changed, feature_version } = props.model;
  return (
    <li data-model={`${name}/${version}`}>
      <button
        className="jp-Mlops-link"
        onClick={() => onNode('version', `${name}/${version}`)}
      >
        {trans.__('%1 v%2', name, version)}
      </button>{' '}
      {aliases.map(alias => (
        <span key={alias} className="jp-Mlops-alias">
          @{alias}
        </span>
      ))}{' '}
      <span className="jp-Mlops-muted" title={feature_version ?? undefined}>
        {changed
          ? trans.__('trained with another version of it')
          : trans.__('trained with it')}
      </span>
    </li>
  );
}
