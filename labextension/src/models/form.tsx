/** The body of the dialogs that ask for a few lines of text. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useId } from 'react';

import { useSignal } from '../components/hooks';
import type { FieldsModel, IField } from './fields';

interface IFieldsFormProps {
  readonly model: FieldsModel<unknown>;
  readonly trans: TranslationBundle;
}

export function FieldsForm(props: IFieldsFormProps): ReactElement {
  const { model } = props;
  useSignal(model.changed);
  const id = useId();
  return (
    <div className="jp-Mlops-form jp-Mlops-fieldsForm">
      {model.fields.map(field => (
        <Field key={field.name} {...props} field={field} id={id} />
      ))}
      <span className="jp-Mlops-fieldError" id={`${id}-error`} role="status">
        {model.error?.message ?? ''}
      </span>
    </div>
  );
}

function Field(
  props: IFieldsFormProps & { readonly field: IField; readonly id: string }
): ReactElement {
  const { model, field, trans } = props;
  const id = `${props.id}-${field.name}`;
  const shared = {
    id,
    className: 'jp-mod-styled',
    value: model.text(field.name),
    placeholder: field.placeholder,
    spellCheck: field.isLong ?? false,
    'aria-invalid': isWrong(model, field),
    'aria-describedby': `${props.id}-error`
  };
  const write = (text: string): void => model.write(field.name, text);
  return (
    <>
      <label htmlFor={id}>{field.label}</label>
      {field.options ? (
        <select {...shared} onChange={event => write(event.target.value)}>
          <option value="" disabled>
            {trans.__('Choose…')}
          </option>
          {field.options.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      ) : field.isLong ? (
        <textarea
          {...shared}
          rows={4}
          onChange={event => write(event.target.value)}
        />
      ) : (
        <input
          {...shared}
          list={field.known && `${id}-known`}
          autoComplete="off"
          onChange={event => write(event.target.value)}
        />
      )}
      {field.known && (
        <datalist id={`${id}-known`}>
          {field.known.map(text => (
            <option key={text} value={text} />
          ))}
        </datalist>
      )}
    </>
  );
}

/** An error that names none of the fields is the first one's. */
function isWrong(model: FieldsModel<unknown>, field: IField): boolean {
  const { error, fields } = model;
  const named = fields.find(({ name }) => name === error?.field) ?? fields[0];
  return error !== null && named === field;
}
