/** Two output notebooks, cell by cell. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { CellDiff, DiffLine, OutputDiff, OutputSide } from '../api/types';
import { useSignal } from '../components/hooks';
import { formatSize } from '../format';
import { pictureIn } from '../gallery/drawn';
import type { CompareModel } from './model';

interface IProps {
  readonly model: CompareModel;
  readonly trans: TranslationBundle;
}

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;

export function CellDiffs(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { pair, cells } = model;
  if (!pair) {
    return (
      <p className="jp-Mlops-empty">
        {model.view
          ? trans.__('Fewer than two of these runs have an output notebook.')
          : trans.__('Loading…')}
      </p>
    );
  }
  if (!cells) {
    return (
      <p className="jp-Mlops-empty" role="status">
        {model.cellsProblem ?? trans.__('Comparing the notebooks…')}
      </p>
    );
  }
  const differing = cells.cells.filter(cell => cell.change !== 'same');
  return (
    <div className="jp-Mlops-cellDiffs">
      <p role="status">
        {trans.__(
          '%1 of %2 cells differ.',
          differing.length,
          cells.cells.length
        )}
      </p>
      <ol>
        {differing.map(cell => (
          <li
            key={`${String(cell.left)} ${String(cell.right)}`}
            data-change={cell.change}
          >
            <Cell cell={cell} trans={trans} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Cell(props: {
  readonly cell: CellDiff;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { cell, trans } = props;
  const numbers = [...new Set([cell.left, cell.right])]
    .filter(each => each !== null)
    .join(' → ');
  return (
    <>
      <h3>
        {trans.__('Cell %1', numbers)}{' '}
        <span className="jp-Mlops-muted">{changeWord(cell, trans)}</span>{' '}
        <code>{cell.title}</code>
      </h3>
      <Lines lines={cell.source} />
      {cell.outputs.map((output, index) => (
        <Output key={index} output={output} trans={trans} />
      ))}
    </>
  );
}

function changeWord(cell: CellDiff, trans: TranslationBundle): string {
  switch (cell.change) {
    case 'added':
      return trans.__('on the right only');
    case 'removed':
      return trans.__('on the left only');
    default:
      return trans.__('differs');
  }
}

/** Lines with what they are as a sign and a word; colour only underlines it. */
function Lines(props: { readonly lines: readonly DiffLine[] }): ReactElement {
  return (
    <>
      {props.lines.length > 0 && (
        <pre>
          {props.lines.map((line, index) => (
            <span key={index} data-change={line.change}>
              {`${SIGNS[line.change]} ${line.text}\n`}
            </span>
          ))}
        </pre>
      )}
    </>
  );
}

function Output(props: {
  readonly output: OutputDiff;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { output, trans } = props;
  if (output.lines.length > 0) {
    return <Lines lines={output.lines} />;
  }
  return (
    <div className="jp-Mlops-sides">
      <Side
        side={output.left}
        name={trans.__('Output on the left')}
        trans={trans}
      />
      <Side
        side={output.right}
        name={trans.__('Output on the right')}
        trans={trans}
      />
    </div>
  );
}

function Side(props: {
  readonly side: OutputSide | null;
  readonly name: string;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { side, name, trans } = props;
  if (!side) {
    return <figure className="jp-Mlops-muted">{trans.__('nothing')}</figure>;
  }
  const url = pictureIn({ [side.mime]: side.image });
  return (
    <figure>
      {url === null ? (
        <pre>{side.text ?? ''}</pre>
      ) : (
        <img src={url} alt={name} />
      )}
      <figcaption className="jp-Mlops-muted">
        {side.mime} · {formatSize(side.size, trans)}
      </figcaption>
    </figure>
  );
}
