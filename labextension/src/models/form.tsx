/** The body of the dialog that registers a model. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useId } from 'react';

import { useSignal } from '../components/hooks';
import type { RegisterModel } from './register';

interface IRegisterFormProps {
  readonly model: RegisterModel;
  readonly trans: TranslationBundle;
}

export function RegisterForm(props: IRegisterFormProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const id = useId();
  const message = model.error?.message ?? '';
  return (
    <div className="jp-Mlops-form jp-Mlops-registerForm">
      <label htmlFor={`${id}-name`}>{trans.__('Model name')}</label>
      <input
        id={`${id}-name`}
        className="jp-mod-styled"
        list={`${id}-names`}
        value={model.name}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={model.error !== null && model.error.field !== 'alias'}
        aria-describedby={`${id}-error`}
        onChange={event => {
          model.name = event.target.value;
        }}
      />
      <datalist id={`${id}-names`}>
        {model.knownNames.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <label htmlFor={`${id}-alias`}>{trans.__('Alias (optional)')}</label>
      <input
        id={`${id}-alias`}
        className="jp-mod-styled"
        list={`${id}-aliases`}
        value={model.alias}
        placeholder={trans.__('such as champion')}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={model.error?.field === 'alias'}
        aria-describedby={`${id}-error`}
        onChange={event => {
          model.alias = event.target.value;
        }}
      />
      <datalist id={`${id}-aliases`}>
        {model.knownAliases.map(alias => (
          <option key={alias} value={alias} />
        ))}
      </datalist>
      <span className="jp-Mlops-fieldError" id={`${id}-error`} role="status">
        {message}
      </span>
    </div>
  );
}
