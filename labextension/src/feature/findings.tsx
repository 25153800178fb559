/** How the values of a feature are checked, and what the last comparisons have found. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { FeatureDetail, FeatureFinding } from '../api/types';
import { useNow } from '../components/hooks';
import { StatusMark } from '../components/status';
import { formatAgo, formatTime, formatValue } from '../format';
import { decode } from '../values';

interface IFindingsProps {
  readonly detail: FeatureDetail;
  readonly trans: TranslationBundle;
}

export function Findings(props: IFindingsProps): ReactElement {
  const { detail, trans } = props;
  const { checks, checked, drift } = detail;
  return (
    <section className="jp-Mlops-findingList" aria-label={trans.__('Checks')}>
      <h3>{trans.__('Checks')}</h3>
      <Finding
        {...props}
        name="checked"
        title={trans.__('Online and offline')}
        finding={checked}
        absence={trans.__('not compared yet')}
      />
      <Finding
        {...props}
        name="drift"
        title={trans.__('Since training')}
        finding={drift}
        absence={trans.__('not compared yet')}
      />
      {checks.length > 0 && (
        <>
          <p className="jp-Mlops-muted">
            {trans.__('Whenever it is computed:')}
          </p>
          <ul className="jp-Mlops-checks">
            {checks.map(check => (
              <li key={check}>
                <code>{check}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Finding(
  props: IFindingsProps & {
    readonly name: string;
    readonly title: string;
    readonly finding: FeatureFinding | null;
    readonly absence: string;
  }
): ReactElement {
  const { trans, name, title, finding, absence } = props;
  const now = useNow(60_000);
  if (!finding) {
    return (
      <p data-finding={name} className="jp-Mlops-muted">
        {title}: {absence}
      </p>
    );
  }
  // Of what is well the line says enough.
  const facts = Object.entries(finding.good ? {} : finding.facts).filter(
    ([, value]) => value !== null
  );
  return (
    <div
      data-finding={name}
      data-good={finding.good}
      className="jp-Mlops-finding"
    >
      <StatusMark
        status={finding.good ? 'succeeded' : 'failed'}
        trans={trans}
      />
      <div>
        <div>
          <strong>{title}</strong>{' '}
          <span className="jp-Mlops-muted" title={formatTime(finding.at)}>
            {formatAgo(finding.at, now, trans)}
          </span>
        </div>
        <div className={finding.good ? undefined : 'jp-Mlops-error'}>
          {finding.line}
        </div>
        {facts.length > 0 && (
          <div className="jp-Mlops-muted">
            {facts
              .map(
                ([fact, value]) =>
                  `${fact.replaceAll('_', ' ')} ${formatValue(decode(value))}`
              )
              .join(' · ')}
          </div>
        )}
      </div>
    </div>
  );
}
