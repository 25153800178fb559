/** What a check of the set-up has found. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { Finding } from '../api/types';
import { StatusMark } from '../components/status';

/** A list with what needs attention first. */
export function findingsBody(
  findings: readonly Finding[],
  trans: TranslationBundle
): ReactElement<{ readonly className: string }> {
  const sorted = [...findings].sort(
    (left, right) => Number(left.ok) - Number(right.ok)
  );
  return (
    <ul className="jp-Mlops-findings">
      {sorted.map(finding => (
        <li key={finding.name}>
          <StatusMark
            status={finding.ok ? 'succeeded' : 'failed'}
            trans={trans}
          />
          <strong>{finding.name}</strong>
          <span>{finding.message}</span>
        </li>
      ))}
    </ul>
  );
}
