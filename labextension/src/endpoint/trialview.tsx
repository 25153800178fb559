/** The form that tries a served model, and what it answers. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { FormEvent, ReactElement } from 'react';
import { useId } from 'react';

import type { IScored } from '../api/endpoints';
import type { ColumnView } from '../api/types';
import { useSignal } from '../components/hooks';
import { formatNumber } from '../format';
import type { EndpointModel } from './model';

interface IProps {
  readonly model: EndpointModel;
  readonly trans: TranslationBundle;
}

export function TrialView(props: IProps): ReactElement {
  const { model, trans } = props;
  const { trial } = model;
  useSignal(model.changed);
  useSignal(trial.changed);
  const id = useId();
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    void model.tryIt();
  };
  if (!model.endpoint) {
    return <p className="jp-Mlops-empty">{trans.__('Loading…')}</p>;
  }
  return (
    <form className="jp-Mlops-trial" onSubmit={onSubmit} noValidate>
      {trial.columns.length > 0 ? (
        <div className="jp-Mlops-trialFields">
          {trial.columns.map(column => (
            <Field key={column.name} {...props} column={column} id={id} />
          ))}
        </div>
      ) : (
        <label className="jp-Mlops-trialText">
          {trans.__(
            'The model has no signature of columns, so that there is no form. The request as JSON:'
          )}
          <textarea
            className="jp-mod-styled"
            rows={8}
            spellCheck={false}
            value={trial.text}
            onChange={event => {
              trial.text = event.target.value;
            }}
          />
        </label>
      )}
      <div className="jp-Mlops-actions">
        <Button type="submit" className="jp-mod-styled jp-mod-accept" small>
          {trans.__('Predict')}
        </Button>
        <Answer answer={trial.answer} isOld={trial.isAsking} trans={trans} />
      </div>
    </form>
  );
}

function Field(
  props: IProps & { readonly column: ColumnView; readonly id: string }
): ReactElement {
  const { model, trans, column } = props;
  const { trial } = model;
  const { answer } = trial;
  const { name, type, required } = column;
  const id = `${props.id}-${name}`;
  const isWrong = answer?.column === name;
  const shared = {
    id,
    className: 'jp-mod-styled',
    value: trial.value(name),
    'aria-invalid': isWrong,
    'aria-describedby': `${id}-error`
  };
  return (
    <div className="jp-Mlops-trialField">
      <label htmlFor={id}>{name}</label>
      {type === 'boolean' ? (
        <select
          {...shared}
          onChange={event => trial.setValue(name, event.target.value)}
        >
          <option value="">{trans.__('missing')}</option>
          <option value="true">{trans.__('true')}</option>
          <option value="false">{trans.__('false')}</option>
        </select>
      ) : (
        <input
          {...shared}
          autoComplete="off"
          spellCheck={false}
          placeholder={trans.__('missing')}
          onChange={event => trial.setValue(name, event.target.value)}
        />
      )}
      <span className="jp-Mlops-kind">
        {required ? type : trans.__('%1, optional', type)}
      </span>
      <span className="jp-Mlops-fieldError" id={`${id}-error`} role="status">
        {isWrong ? answer.message : ''}
      </span>
    </div>
  );
}

function Answer(props: {
  readonly answer: IScored | null;
  /** Whether the next one is awaited. */
  readonly isOld: boolean;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { answer, isOld, trans } = props;
  return (
    <output className="jp-Mlops-answer" aria-live="polite" aria-busy={isOld}>
      {answer?.message === null && (
        <>
          <strong title={JSON.stringify(answer.predictions)}>
            {shownPrediction(answer.predictions)}
          </strong>
          <span className="jp-Mlops-muted">
            {trans.__('in %1 ms', Math.max(1, Math.round(answer.took)))}
          </span>
        </>
      )}
      {answer && answer.message !== null && answer.column === null && (
        <span className="jp-Mlops-error">{answer.message}</span>
      )}
    </output>
  );
}

/** The prediction of the one row that was sent. */
function shownPrediction(predictions: unknown): string {
  const one: unknown =
    Array.isArray(predictions) && predictions.length === 1
      ? predictions[0]
      : predictions;
  return typeof one === 'number' ? formatNumber(one) : JSON.stringify(one);
}
