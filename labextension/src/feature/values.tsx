/** What the values of a feature look like: a histogram, or the most frequent ones. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { FeatureDetail, StatisticsView } from '../api/types';
import { formatCount, formatShare } from '../format';
import type { IBar } from './histogram';
import { highestBar, histogramBars, placeOf } from './histogram';
import { askWhom, formatMeasure } from './words';

interface IValuesProps {
  readonly detail: FeatureDetail;
  readonly trans: TranslationBundle;
}

export function Values(props: IValuesProps): ReactElement {
  const { detail, trans } = props;
  const { statistics } = detail;
  return (
    <section className="jp-Mlops-featureValues" aria-label={trans.__('Values')}>
      <h3>{trans.__('Values')}</h3>
      {statistics ? (
        <Seen {...props} statistics={statistics} />
      ) : (
        <p className="jp-Mlops-muted">{absence(detail, trans)}</p>
      )}
    </section>
  );
}

/** Why there is nothing to be seen. */
function absence(detail: FeatureDetail, trans: TranslationBundle): string {
  const { feature, request } = detail;
  if (!feature.readable) {
    return askWhom(feature, trans);
  }
  return feature.on_demand
    ? trans.__(
        'It is computed when it is asked for, from the request (%1); nothing is kept of it.',
        request.join(', ')
      )
    : trans.__('It was not computed yet. Compute it to see its values.');
}

interface ISeenProps extends IValuesProps {
  readonly statistics: StatisticsView;
}

function Seen(props: ISeenProps): ReactElement {
  const { statistics } = props;
  const bars = histogramBars(statistics);
  return (
    <>
      {bars.length > 0 && <Histogram {...props} bars={bars} />}
      {statistics.values.length > 0 && <Frequent {...props} />}
      <Missing {...props} />
      <Numbers {...props} />
      {bars.length > 0 && <Counts {...props} bars={bars} />}
    </>
  );
}

/** Units of the drawing, which is as wide as there is space. */
const SIZE = { width: 1000, height: 100 } as const;

function Histogram(
  props: ISeenProps & { readonly bars: readonly IBar[] }
): ReactElement {
  const { detail, statistics, bars, trans } = props;
  const { type } = detail.feature;
  const mean = placeOf(statistics.mean, statistics);
  const [first, last] = [bars[0], bars.at(-1)];
  return (
    <figure className="jp-Mlops-histogram">
      <svg
        role="img"
        aria-label={histogramText(props)}
        viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
        preserveAspectRatio="none"
      >
        {bars.map(bar => (
          <rect
            key={bar.x}
            x={bar.x * SIZE.width}
            y={(1 - bar.height) * SIZE.height}
            width={bar.width * SIZE.width}
            height={bar.height * SIZE.height}
          >
            <title>{barText(bar, type, trans)}</title>
          </rect>
        ))}
        {mean !== null && (
          <line
            x1={mean * SIZE.width}
            x2={mean * SIZE.width}
            y1={0}
            y2={SIZE.height}
          />
        )}
      </svg>
      <figcaption aria-hidden="true">
        <span>{first && formatMeasure(first.from, type)}</span>
        {statistics.mean !== null && (
          <span className="jp-Mlops-muted">
            {trans.__('┆ mean %1', formatMeasure(statistics.mean, type))}
          </span>
        )}
        <span>{last && formatMeasure(last.to, type)}</span>
      </figcaption>
    </figure>
  );
}

function barText(
  { from, to, count }: IBar,
  type: string | null,
  trans: TranslationBundle
): string {
  return trans._n(
    '%2 to %3: %4 value',
    '%2 to %3: %4 values',
    count,
    formatMeasure(from, type),
    formatMeasure(to, type),
    count.toLocaleString('en')
  );
}

/** The histogram in words. */
function histogramText(
  props: ISeenProps & { readonly bars: readonly IBar[] }
): string {
  const { detail, statistics, bars, trans } = props;
  const { type } = detail.feature;
  const highest = highestBar(bars);
  const { minimum, maximum } = statistics;
  return [
    trans.__(
      'Histogram of %1 values',
      formatCount(statistics.rows - statistics.missing)
    ),
    ...(minimum === null || maximum === null
      ? []
      : [
          trans.__(
            'from %1 to %2',
            formatMeasure(minimum, type),
            formatMeasure(maximum, type)
          )
        ]),
    ...(highest
      ? [
          trans.__(
            'most of them, %1, from %2 to %3',
            formatCount(highest.count),
            formatMeasure(highest.from, type),
            formatMeasure(highest.to, type)
          )
        ]
      : [])
  ].join(', ');
}

/** The most frequent values, each with a bar. */
function Frequent(props: ISeenProps): ReactElement {
  const { statistics, trans } = props;
  const { values, rows } = statistics;
  const most = Math.max(...values.map(([, count]) => count), 1);
  return (
    <table className="jp-Mlops-frequent">
      <caption>{trans.__('Most frequent values')}</caption>
      <tbody>
        {values.map(([value, count]) => (
          <tr key={value}>
            <th scope="row" className="jp-Mlops-ellipsis" title={value}>
              {value}
            </th>
            <td className="jp-Mlops-frequentBar">
              <span className="jp-Mlops-driftBar" aria-hidden="true">
                <span style={{ width: `${(count / most) * 100}%` }} />
              </span>
            </td>
            <td className="jp-Mlops-number" title={count.toLocaleString('en')}>
              {formatCount(count)}
            </td>
            <td className="jp-Mlops-number jp-Mlops-muted">
              {formatShare(rows > 0 ? count / rows : 0, trans)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Missing(props: ISeenProps): ReactElement {
  const { statistics, trans } = props;
  const { missing, rows } = statistics;
  return (
    <p className="jp-Mlops-missing" data-missing={missing > 0}>
      {missing === 0
        ? trans.__('No value is missing.')
        : trans.__(
            '%1 missing: %2 of %3 rows',
            formatShare(missing / rows, trans),
            missing.toLocaleString('en'),
            formatCount(rows)
          )}
    </p>
  );
}

function Numbers(props: ISeenProps): ReactElement {
  const { detail, statistics, trans } = props;
  const { type } = detail.feature;
  const { rows, distinct, minimum, maximum, mean, deviation } = statistics;
  const measures = (
    [
      [trans.__('smallest'), minimum],
      [trans.__('largest'), maximum],
      [trans.__('mean'), mean]
    ] as const
  ).flatMap(([label, value]) =>
    value === null ? [] : [[label, formatMeasure(value, type), value] as const]
  );
  const facts: readonly (readonly [string, string, number])[] = [
    [trans.__('rows'), formatCount(rows), rows],
    ...(distinct === null
      ? []
      : [[trans.__('different'), formatCount(distinct), distinct] as const]),
    ...measures,
    ...(deviation === null
      ? []
      : [
          [
            trans.__('deviation'),
            formatMeasure(deviation, null),
            deviation
          ] as const
        ])
  ];
  return (
    <dl className="jp-Mlops-numbers">
      {facts.map(([label, text, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd title={value.toLocaleString('en', { maximumFractionDigits: 12 })}>
            {text}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** The histogram as a table, for those who do not see it or want the numbers. */
function Counts(
  props: ISeenProps & { readonly bars: readonly IBar[] }
): ReactElement {
  const { detail, bars, trans } = props;
  const { type } = detail.feature;
  return (
    <details className="jp-Mlops-counts">
      <summary>{trans.__('As a table')}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{trans.__('from')}</th>
            <th scope="col">{trans.__('to')}</th>
            <th scope="col">{trans.__('values')}</th>
          </tr>
        </thead>
        <tbody>
          {bars.map(({ from, to, count, x }) => (
            <tr key={x}>
              <td className="jp-Mlops-number">{formatMeasure(from, type)}</td>
              <td className="jp-Mlops-number">{formatMeasure(to, type)}</td>
              <td className="jp-Mlops-number">{count.toLocaleString('en')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
