/** The field of one declared parameter. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useId } from 'react';

import type { ParameterView } from '../api/types';
import { decode } from '../values';
import { spaceText } from '../format';
import { isChosen, toggleChoice } from './choices';
import type { FormModel } from './model';

interface IFieldProps {
  readonly model: FormModel;
  readonly parameter: ParameterView;
  readonly trans: TranslationBundle;
}

/** Name, type, the values to try, the default; below them help and what is wrong. */
export function ParameterField(props: IFieldProps): ReactElement {
  const { model, parameter, trans } = props;
  const { name } = parameter;
  const id = useId();
  const error = model.errorOf(name);
  const choices = choiceTexts(parameter);
  return (
    <div className="jp-Mlops-field" role="group" aria-label={name}>
      <label htmlFor={id} className="jp-Mlops-fieldName" title={name}>
        {name}
      </label>
      <span
        className="jp-Mlops-kind"
        id={`${id}-kind`}
        title={parameter.annotation ?? undefined}
      >
        {parameter.kind === 'any' ? '' : parameter.kind}
      </span>
      <input
        id={id}
        className="jp-mod-styled jp-Mlops-space"
        value={model.text(name)}
        placeholder={parameter.default_text ?? trans.__('as in the notebook')}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={error !== null}
        aria-describedby={[`${id}-kind`, `${id}-help`, `${id}-error`].join(' ')}
        onChange={event => model.setText(name, event.target.value)}
      />
      <Default {...props} />
      {(choices.length > 0 || parameter.help) && (
        <span className="jp-Mlops-help" id={`${id}-help`}>
          {choices.map(choice => (
            <button
              key={choice}
              type="button"
              className="jp-Mlops-choice"
              aria-pressed={isChosen(model.text(name), choice)}
              onClick={() =>
                model.setText(
                  name,
                  toggleChoice(model.text(name), choice, choices)
                )
              }
            >
              {choice}
            </button>
          ))}
          {parameter.help}
        </span>
      )}
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}

/** What is wrong with a field; it stays in the page, so that changes are read out. */
export function FieldError(props: {
  readonly id: string;
  readonly message: string | null;
}): ReactElement {
  return (
    <span className="jp-Mlops-fieldError" id={props.id} role="status">
      {props.message}
    </span>
  );
}

function Default(props: IFieldProps): ReactElement | null {
  const { model, parameter, trans } = props;
  const text = parameter.default_text;
  if (text === null) {
    return <span />;
  }
  const label = trans.__('default %1', text);
  return model.isChanged(parameter) ? (
    <button
      type="button"
      className="jp-Mlops-default"
      title={trans.__('Go back to the default')}
      onClick={() => model.setText(parameter.name, text)}
    >
      {label}
    </button>
  ) : (
    <span className="jp-Mlops-default jp-Mlops-muted">{label}</span>
  );
}

/** The values that can be chosen by a click, as they stand in the field. */
function choiceTexts(parameter: ParameterView): readonly string[] {
  if (parameter.kind === 'bool') {
    return ['true', 'false'];
  }
  return (parameter.choices ?? []).map(choice => spaceText(decode(choice)));
}
