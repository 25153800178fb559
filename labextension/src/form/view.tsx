/** The form of "Run with parameters…". */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useEffect, useId, useRef, useState } from 'react';

import type { ParametersView } from '../api/types';
import { useSignal } from '../components/hooks';
import { FieldError, ParameterField } from './field';
import type { FormModel } from './model';
import type { IKnownCell } from './notebooks';
import { Resources } from './resources';
import { Sharing } from './sharing';
import { Ranking, Summary } from './summary';

export interface IFormViewProps {
  readonly model: FormModel;
  readonly trans: TranslationBundle;
  /** Tag a cell as the one of parameters, and save the notebook. */
  readonly onMark: (cell: number) => Promise<void>;
  /** Tag cells as shared; returns whether that was done. Null if the notebook is not open. */
  readonly onShare: ((cells: readonly IKnownCell[]) => boolean) | null;
}

export function FormView(props: IFormViewProps): ReactElement {
  const { model, trans } = props;
  const { declared } = model;
  const node = useRef<HTMLDivElement>(null);
  useSignal(model.changed);
  useEffect(() => {
    node.current?.querySelector<HTMLElement>('input, textarea')?.focus();
  }, [declared]);
  if (!declared) {
    const error = model.errorOf('') ?? model.errorOf('notebook');
    return (
      <div className="jp-Mlops-form">
        {error ? (
          <FieldError id="jp-Mlops-formError" message={error} />
        ) : (
          trans.__('Reading the notebook…')
        )}
      </div>
    );
  }
  return (
    <div ref={node} className="jp-Mlops-form">
      <p className="jp-Mlops-muted jp-Mlops-hint">{hint(declared, trans)}</p>
      {!declared.readable && <FreeParameters {...props} />}
      {declared.readable && !declared.has_cell && (
        <Candidates {...props} declared={declared} />
      )}
      {declared.parameters.length > 0 && (
        <div className="jp-Mlops-fields">
          {declared.parameters.map(parameter => (
            <ParameterField
              key={parameter.name}
              model={model}
              parameter={parameter}
              trans={trans}
            />
          ))}
        </div>
      )}
      <Summary model={model} trans={trans} />
      <Ranking model={model} trans={trans} />
      <Resources model={model} trans={trans} />
      <Sharing model={model} trans={trans} onShare={props.onShare} />
    </div>
  );
}

function hint(declared: ParametersView, trans: TranslationBundle): string {
  if (declared.parameters.length > 0) {
    return trans.__(
      'Give one value or several: 3, 5, 7 or 1..10 or log(1e-4, 1e-1, 5).'
    );
  }
  if (!declared.readable) {
    return trans.__('The language of this notebook’s kernel cannot be read.');
  }
  return declared.has_cell
    ? trans.__('The parameters cell of this notebook declares nothing.')
    : trans.__(
        'This notebook has no parameters cell. It runs as it is, or you mark the cell that sets its parameters.'
      );
}

/** The cells that could be the parameters cell, with a button that marks the chosen one. */
function Candidates(
  props: IFormViewProps & { readonly declared: ParametersView }
): ReactElement | null {
  const { declared, trans, onMark } = props;
  const [chosen, setChosen] = useState(declared.candidates[0]?.cell ?? -1);
  const [isMarking, setMarking] = useState(false);
  const id = useId();
  if (declared.candidates.length === 0) {
    return null;
  }
  const mark = (): void => {
    setMarking(true);
    void onMark(chosen).finally(() => {
      setMarking(false);
    });
  };
  return (
    <fieldset className="jp-Mlops-candidates">
      <legend>{trans.__('Cells that set plain values')}</legend>
      {declared.candidates.map(({ cell, source }) => (
        <label key={cell} className="jp-Mlops-candidate">
          <input
            type="radio"
            name={id}
            checked={cell === chosen}
            onChange={() => setChosen(cell)}
          />
          <span className="jp-Mlops-muted">
            {trans.__('cell %1', cell + 1)}
          </span>
          <pre>{source}</pre>
        </label>
      ))}
      <Button small disabled={isMarking} onClick={mark}>
        {trans.__('Mark as parameters')}
      </Button>
    </fieldset>
  );
}

/** Parameters of a notebook in another language, one a line. */
function FreeParameters(props: IFormViewProps): ReactElement {
  const { model, trans } = props;
  const id = useId();
  return (
    <div className="jp-Mlops-free">
      <label htmlFor={id}>{trans.__('Parameters, one a line')}</label>
      <textarea
        id={id}
        className="jp-mod-styled"
        rows={4}
        value={model.options.free}
        placeholder={trans.__('depth = 3, 5, 7')}
        spellCheck={false}
        onChange={event => model.setOption('free', event.target.value)}
      />
    </div>
  );
}
