/** The facts of a part of a card, whatever they are, as text. */
import type { ReactElement } from 'react';

import { formatValue } from '../format';
import { decode } from '../values';
import { record } from './words';

interface IOpeners {
  /** Open a file of the project. */
  readonly onOpen: (path: string) => void;
  /** Open a feature of the catalog. */
  readonly onFeature: (name: string) => void;
}

interface IFactsProps extends IOpeners {
  readonly facts: Readonly<Record<string, unknown>>;
}

/** So many entries of a list are shown. */
const SHOWN = 100;

export function FactList(props: IFactsProps): ReactElement {
  const { facts, ...openers } = props;
  return (
    <dl className="jp-Mlops-factList">
      {Object.entries(facts)
        .filter(([, value]) => !isEmpty(value))
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>
              <Fact value={value} {...openers} />
            </dd>
          </div>
        ))}
    </dl>
  );
}

function Fact(
  props: IOpeners & {
    readonly value: unknown;
  }
): ReactElement {
  const { value, ...openers } = props;
  if (Array.isArray(value)) {
    const more = value.length - SHOWN;
    return (
      <ul className="jp-Mlops-factItems">
        {value.slice(0, SHOWN).map((each: unknown, index) => (
          <li key={index}>
            <Fact value={each} {...openers} />
          </li>
        ))}
        {more > 0 && <li>… {more}</li>}
      </ul>
    );
  }
  const entries = record(value);
  if (typeof entries.path === 'string') {
    return <FileFact file={entries} path={entries.path} {...openers} />;
  }
  if (typeof entries.feature === 'string' && 'version' in entries) {
    return <FeatureFact joined={entries} name={entries.feature} {...openers} />;
  }
  if (Object.keys(entries).length > 0 && !('$float' in entries)) {
    return <FactList facts={entries} {...openers} />;
  }
  const text = formatValue(decode(value));
  return text.includes('\n') ? <pre>{text}</pre> : <>{text}</>;
}

/** A file of the project can be opened; those of a model lie in the tracker. */
function FileFact(
  props: IOpeners & {
    readonly file: Readonly<Record<string, unknown>>;
    readonly path: string;
  }
): ReactElement {
  const { file, path, onOpen } = props;
  const facts = ['size', 'sha256', 'kept_by', 'dvc_md5']
    .filter(name => !isEmpty(file[name]))
    .map(name => `${name.replaceAll('_', ' ')} ${String(file[name])}`);
  return (
    <>
      {'how' in file ? (
        <button className="jp-Mlops-link" onClick={() => onOpen(path)}>
          {path}
        </button>
      ) : (
        path
      )}{' '}
      <span className="jp-Mlops-muted">{facts.join(' · ')}</span>
    </>
  );
}

/** A feature of the catalog, in the version that was joined. */
function FeatureFact(
  props: IOpeners & {
    readonly joined: Readonly<Record<string, unknown>>;
    readonly name: string;
  }
): ReactElement {
  const { joined, name, onFeature } = props;
  const facts = [joined.version, joined.type]
    .filter(value => !isEmpty(value))
    .map(String);
  return (
    <>
      <button className="jp-Mlops-link" onClick={() => onFeature(name)}>
        {name}
      </button>{' '}
      <span className="jp-Mlops-muted">{facts.join(' · ')}</span>
    </>
  );
}

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
