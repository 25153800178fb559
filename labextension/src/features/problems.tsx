/** What is wrong with definitions, before all that is right. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useState } from 'react';

import type { FeatureProblem } from '../api/types';
import { StatusMark } from '../components/status';

/** So many are listed at first. */
const SHOWN = 5;

export function DefinitionProblems(props: {
  readonly problems: readonly FeatureProblem[];
  readonly trans: TranslationBundle;
  /** Open the module that is wrong. */
  readonly onOpen: (path: string) => void;
}): ReactElement | null {
  const { problems, trans, onOpen } = props;
  const [isAll, setAll] = useState(false);
  if (problems.length === 0) {
    return null;
  }
  const more = isAll ? 0 : problems.length - SHOWN;
  return (
    <>
      <ul
        className="jp-Mlops-featureProblems"
        aria-label={trans.__('Definitions that are wrong')}
      >
        {problems
          .slice(0, isAll ? undefined : SHOWN)
          .map(({ where, path, line }) => (
            <li key={`${where} ${line}`}>
              <StatusMark status="failed" trans={trans} />
              <span>
                <button
                  className="jp-Mlops-link"
                  title={trans.__('Open the module')}
                  onClick={() => onOpen(path)}
                >
                  {where}
                </button>{' '}
                {reason(where, line)}
              </span>
            </li>
          ))}
      </ul>
      {more > 0 && (
        <Button minimal small onClick={() => setAll(true)}>
          {trans._n('%1 more is wrong', '%1 more are wrong', more)}
        </Button>
      )}
    </>
  );
}

/** The line without the name that stands before it already. */
function reason(where: string, line: string): string {
  return line.startsWith(`${where}:`)
    ? line.slice(where.length + 1).trimStart()
    : line;
}
