/** Two versions of a model fact by fact, what differs first. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useState } from 'react';

import type { DifferenceView } from '../api/types';
import { useSignal } from '../components/hooks';
import { formatFull, formatNumber, formatValue } from '../format';
import { decode } from '../values';
import { Unavailable } from './card';
import type { ModelTabModel } from './model';
import { partTitle } from './words';

interface IComparisonProps {
  readonly model: ModelTabModel;
  readonly trans: TranslationBundle;
}

export function Comparison(props: IComparisonProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const [isAll, setAll] = useState(false);
  const { comparison, other, problem } = model;
  if (other === null) {
    return (
      <p className="jp-Mlops-empty">
        {trans.__('This is the only version of the model.')}
      </p>
    );
  }
  const isCurrent =
    comparison?.first === other && comparison.second === model.version;
  const differing = isCurrent
    ? comparison.differences.filter(each => each.differs)
    : [];
  return (
    <>
      <div className="jp-Mlops-comparisonHead">
        <Other {...props} other={other} />
        {isCurrent && (
          <span>
            {trans._n('%1 fact differs', '%1 facts differ', differing.length)}
          </span>
        )}
        <label>
          <input
            type="checkbox"
            checked={isAll}
            onChange={event => setAll(event.target.checked)}
          />
          {trans.__('Show what is the same, too')}
        </label>
      </div>
      {isCurrent ? (
        <Differences
          {...props}
          first={other}
          rows={isAll ? comparison.differences : differing}
        />
      ) : (
        <Unavailable
          problem={problem}
          trans={trans}
          onRetry={() => model.retry()}
        />
      )}
    </>
  );
}

/** Which version it is compared with. */
function Other(
  props: IComparisonProps & { readonly other: number }
): ReactElement {
  const { model, trans, other } = props;
  return (
    <label>
      {trans.__('Compare with')}
      <select
        className="jp-mod-styled jp-Mlops-versions"
        value={other}
        onChange={event => model.compareWith(Number(event.target.value))}
      >
        {model.versions
          .filter(({ version }) => version !== model.version)
          .map(({ version }) => (
            <option key={version} value={version}>
              {trans.__('v%1', version)}
            </option>
          ))}
      </select>
    </label>
  );
}

function Differences(
  props: IComparisonProps & {
    readonly first: number;
    readonly rows: readonly DifferenceView[];
  }
): ReactElement {
  const { model, trans, first, rows } = props;
  return (
    <table className="jp-Mlops-comparison">
      <thead>
        <tr>
          <th scope="col">{trans.__('Part')}</th>
          <th scope="col">{trans.__('Fact')}</th>
          <th scope="col">{trans.__('v%1', first)}</th>
          <th scope="col">{trans.__('v%1', model.version)}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(each => (
          <tr key={`${each.part} ${each.name}`} data-differs={each.differs}>
            <td>
              {partTitle(each.part as Parameters<typeof partTitle>[0], trans)}
            </td>
            <th scope="row">{each.name.replaceAll('_', ' ')}</th>
            <Fact encoded={each.first} />
            <Fact encoded={each.second} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Fact(props: { readonly encoded: unknown }): ReactElement {
  const value = decode(props.encoded);
  if (value === null) {
    return <td className="jp-Mlops-muted">–</td>;
  }
  const isNumber = typeof value === 'number';
  const text = isNumber ? formatNumber(value) : formatValue(value);
  return (
    <td
      className={isNumber ? 'jp-Mlops-number' : undefined}
      title={formatFull(value)}
    >
      {text.includes('\n') ? <pre>{text}</pre> : text}
    </td>
  );
}
