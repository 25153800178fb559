/** The bodies of the dialogs of an endpoint. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useId } from 'react';

import { useSignal } from '../components/hooks';
import type { CompareForm, Field } from './comparing';
import { FIELDS } from './comparing';
import type { WatchForm } from './watching';

/** What is kept of the requests. */
export function WatchBody(props: {
  readonly form: WatchForm;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { form, trans } = props;
  useSignal(form.changed);
  const id = useId();
  return (
    <div className="jp-Mlops-form jp-Mlops-endpointForm">
      <p className="jp-Mlops-hint">
        {trans.__(
          'What you choose is written to files in the project, with the predictions.'
        )}
      </p>
      <fieldset className="jp-Mlops-kept">
        <legend>{trans.__('Columns to keep')}</legend>
        {form.columns.map(({ name }) => (
          <label key={name}>
            <input
              type="checkbox"
              checked={form.isKept(name)}
              onChange={event => {
                form.keep(name, event.target.checked);
              }}
            />{' '}
            {name}
          </label>
        ))}
      </fieldset>
      <div>
        <label htmlFor={`${id}-percent`}>
          {trans.__('Percent of requests')}
        </label>
        <input
          id={`${id}-percent`}
          className="jp-mod-styled"
          inputMode="decimal"
          value={form.percent}
          onChange={event => {
            form.percent = event.target.value;
          }}
        />
      </div>
      <div>
        <label htmlFor={`${id}-challenger`}>
          {trans.__('Challenger: a version that is asked the same (optional)')}
        </label>
        <input
          id={`${id}-challenger`}
          className="jp-mod-styled"
          placeholder={trans.__('such as v4')}
          value={form.challenger}
          onChange={event => {
            form.challenger = event.target.value;
          }}
        />
      </div>
      <span className="jp-Mlops-fieldError" role="status">
        {form.error ?? ''}
      </span>
    </div>
  );
}

/** What the requests are compared with. */
export function CompareBody(props: {
  readonly form: CompareForm;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { form, trans } = props;
  useSignal(form.changed);
  const id = useId();
  return (
    <div className="jp-Mlops-form jp-Mlops-endpointForm">
      {FIELDS.map(field => {
        const { label, hint } = fieldWords(field, trans);
        return (
          <div key={field}>
            <label htmlFor={`${id}-${field}`}>{label}</label>
            <input
              id={`${id}-${field}`}
              className="jp-mod-styled"
              autoComplete="off"
              spellCheck={false}
              placeholder={hint}
              value={form.value(field)}
              onChange={event => {
                form.setValue(field, event.target.value);
              }}
            />
          </div>
        );
      })}
      <span className="jp-Mlops-fieldError" role="status">
        {form.error ?? ''}
      </span>
    </div>
  );
}

function fieldWords(
  field: Field,
  trans: TranslationBundle
): { readonly label: string; readonly hint: string } {
  switch (field) {
    case 'input':
      return {
        label: trans.__('Training data'),
        hint: trans.__('a file; empty: the sample logged with the model')
      };
    case 'allowed':
      return {
        label: trans.__('Distance above which it fails, from 0 to 1'),
        hint: trans.__('empty: never')
      };
    case 'labels':
      return {
        label: trans.__('True labels (optional)'),
        hint: trans.__('a file')
      };
    case 'on':
      return {
        label: trans.__('Columns that tell to which request a label belongs'),
        hint: trans.__('such as id')
      };
    case 'label':
      return { label: trans.__('Column of the labels'), hint: '' };
  }
}
