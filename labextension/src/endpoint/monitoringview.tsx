/** What is kept of an endpoint's requests, how they drift, and how good the predictions were. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { EndpointView, MonitoringView, QualityView } from '../api/types';
import { CommandIDs } from '../commands';
import { useNow, useSignal } from '../components/hooks';
import { formatAgo, formatNumber } from '../format';
import type { EndpointModel } from './model';

interface IProps {
  readonly model: EndpointModel;
  readonly trans: TranslationBundle;
  /** Run a command on the endpoint. */
  readonly onCommand: (id: string) => void;
}

export function Monitoring(props: IProps): ReactElement {
  const { model, trans, onCommand } = props;
  useSignal(model.changed);
  const { endpoint, monitoring } = model;
  if (!endpoint || !monitoring) {
    return <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>;
  }
  return (
    <div className="jp-Mlops-monitoring">
      <p>{keptText(endpoint, trans)}</p>
      <div className="jp-Mlops-actions">
        <Button small onClick={() => onCommand(CommandIDs.watchEndpoint)}>
          {endpoint.share > 0
            ? trans.__('Change what is kept…')
            : trans.__('Keep requests…')}
        </Button>
        <Button small onClick={() => onCommand(CommandIDs.monitorEndpoint)}>
          {trans.__('Compare…')}
        </Button>
      </div>
      {monitoring.run_id === null ? (
        <p className="jp-Mlops-muted">
          {trans.__(
            'The requests were not compared with the training data yet.'
          )}
        </p>
      ) : (
        <Found monitoring={monitoring} trans={trans} />
      )}
    </div>
  );
}

function keptText(endpoint: EndpointView, trans: TranslationBundle): string {
  const { monitored, share, challenger } = endpoint;
  if (share === 0) {
    return trans.__('Nothing is kept of the requests.');
  }
  const kept = trans.__(
    'Of %1 % of the requests these columns are kept, with the predictions: %2.',
    formatNumber(share * 100),
    monitored.join(', ')
  );
  return challenger === null
    ? kept
    : `${kept} ${trans.__('v%1 is asked the same.', challenger)}`;
}

function Found(props: {
  readonly monitoring: MonitoringView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { monitoring, trans } = props;
  const now = useNow(10_000);
  const { finished_at, error, rows, drifts, qualities } = monitoring;
  return (
    <>
      <p className="jp-Mlops-muted">
        {trans._n('%1 request compared', '%1 requests compared', rows)}
        {finished_at !== null && ` · ${formatAgo(finished_at, now, trans)}`}
      </p>
      {error !== null && (
        <p className="jp-Mlops-error" role="alert">
          {error}
        </p>
      )}
      {drifts.length > 0 && <Drifts monitoring={monitoring} trans={trans} />}
      {qualities.length > 0 && <Qualities found={qualities} trans={trans} />}
    </>
  );
}

/** A bar for each feature: the farther from the training data, the longer. */
function Drifts(props: {
  readonly monitoring: MonitoringView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { trans } = props;
  const { drifts, allowed } = props.monitoring;
  return (
    <table className="jp-Mlops-drifts">
      <caption>
        {trans.__('Distance from the training data, from 0 to 1')}
        {allowed !== null &&
          ` · ${trans.__('allowed: %1', formatNumber(allowed))}`}
      </caption>
      <tbody>
        {drifts.map(({ feature, distance }) => {
          const isFar = allowed !== null && distance > allowed;
          return (
            <tr key={feature} data-far={isFar}>
              <th scope="row" className="jp-Mlops-ellipsis" title={feature}>
                {feature}
              </th>
              <td>
                <span className="jp-Mlops-driftBar" aria-hidden="true">
                  <span style={{ width: `${distance * 100}%` }} />
                  {allowed !== null && (
                    <i style={{ left: `${allowed * 100}%` }} />
                  )}
                </span>
              </td>
              <td className="jp-Mlops-number" title={String(distance)}>
                {formatNumber(Number(distance.toPrecision(3)))}
              </td>
              <td>{isFar ? trans.__('✗ too far') : ''}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** The metrics beside those of the model's card, and by day. */
function Qualities(props: {
  readonly found: readonly QualityView[];
  readonly trans: TranslationBundle;
}): ReactElement {
  const { found, trans } = props;
  return (
    <table className="jp-Mlops-qualities">
      <caption>{trans.__('How good the predictions were')}</caption>
      <thead>
        <tr>
          <th scope="col">{trans.__('metric')}</th>
          <th scope="col">{trans.__('card')}</th>
          <th scope="col">{trans.__('served')}</th>
          <th scope="col">{trans.__('challenger')}</th>
          <th scope="col">{trans.__('by day')}</th>
        </tr>
      </thead>
      <tbody>
        {found.map(each => (
          <tr key={each.metric}>
            <th scope="row">{each.metric}</th>
            <Value value={each.card} />
            <Value value={each.served} />
            <Value value={each.challenger} />
            <td>
              <Line quality={each} trans={trans} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Value(props: { readonly value: number | null }): ReactElement {
  const { value } = props;
  return (
    <td className="jp-Mlops-number" title={value === null ? '' : String(value)}>
      {value === null ? '' : formatNumber(value)}
    </td>
  );
}

const WIDTH = 120;
const HEIGHT = 20;

/** The values by day as a small line, with the level of the card. */
function Line(props: {
  readonly quality: QualityView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { days, values, card } = props.quality;
  const known = values.flatMap(value => value ?? []);
  const all = card === null ? known : [...known, card];
  const low = Math.min(...all);
  const span = Math.max(...all) - low;
  const y = (value: number): number =>
    span === 0
      ? HEIGHT / 2
      : HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4);
  const x = (index: number): number =>
    values.length < 2
      ? WIDTH / 2
      : 2 + (index / (values.length - 1)) * (WIDTH - 4);
  const points = values.flatMap((value, index) =>
    value === null ? [] : [{ x: x(index), y: y(value) }]
  );
  const told = days.map(
    (day, index) => `${day}: ${formatNumber(values[index] ?? NaN)}`
  );
  return (
    <svg
      className="jp-Mlops-spark"
      role="img"
      aria-label={told.join(', ')}
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
    >
      <title>{told.join('\n')}</title>
      {card !== null && (
        <line x1="0" x2={WIDTH} y1={y(card)} y2={y(card)} data-card="true" />
      )}
      <polyline points={points.map(each => `${each.x},${each.y}`).join(' ')} />
      {points.map(each => (
        <circle key={each.x} cx={each.x} cy={each.y} r="2" />
      ))}
    </svg>
  );
}
