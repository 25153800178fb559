/** The facts of a part of a card, whatever they are, as text. */
import type { ReactElement } from 'react';

import { formatValue } from '../format';
import { decode } from '../values';
import { record } from './words';

interface IFactsProps {
  readonly facts: Readonly<Record<string, unknown>>;
  /** Open a file of the project. */
  readonly onOpen: (path: string) => void;
}

/** So many entries of a list are shown. */
const SHOWN = 100;

export function FactList(props: IFactsProps): ReactElement {
  const { facts, onOpen } = props;
  return (
    <dl className="jp-Mlops-factList">
      {Object.entries(facts)
        .filter(([, value]) => !isEmpty(value))
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name.replaceAll('_', ' ')}</dt>
            <dd>
              <Fact value={value} onOpen={onOpen} />
            </dd>
          </div>
        ))}
    </dl>
  );
}

function Fact(props: {
  readonly value: unknown;
  readonly onOpen: (path: string) => void;
}): ReactElement {
  const { value, onOpen } = props;
  if (Array.isArray(value)) {
    const more = value.length - SHOWN;
    return (
      <ul className="jp-Mlops-factItems">
        {value.slice(0, SHOWN).map((each: unknown, index) => (
          <li key={index}>
            <Fact value={each} onOpen={onOpen} />
          </li>
        ))}
        {more > 0 && <li>… {more}</li>}
      </ul>
    );
  }
  const entries = record(value);
  if (typeof entries.path === 'string') {
    return <FileFact file={entries} path={entries.path} onOpen={onOpen} />;
  }
  if (Object.keys(entries).length > 0 && !('$float' in entries)) {
    return <FactList facts={entries} onOpen={onOpen} />;
  }
  const text = formatValue(decode(value));
  return text.includes('\n') ? <pre>{text}</pre> : <>{text}</>;
}

/** A file of the project can be opened; those of a model lie in the tracker. */
function FileFact(props: {
  readonly file: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly onOpen: (path: string) => void;
}): ReactElement {
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

function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && Object.keys(value).length === 0)
  );
}
