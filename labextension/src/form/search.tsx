/** Who chooses the points of a sweep, how many, and which runs are stopped early. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useId } from 'react';

import { FieldError } from './field';
import type { FormModel } from './model';
import type { IOptions } from './options';

interface IProps {
  readonly model: FormModel;
  readonly trans: TranslationBundle;
}

const NAMES = ['sampler', 'trials', 'prune'] as const;
type Name = (typeof NAMES)[number];

/** Whether something is wrong here, which must not hide. */
export function isSearchWrong(model: FormModel): boolean {
  return NAMES.some(name => model.unreadable.has(name) || model.errorOf(name));
}

export function Search(props: IProps): ReactElement {
  const { model, trans } = props;
  const { options } = model;
  const id = useId();
  return (
    <>
      <Choice
        {...props}
        name="sampler"
        label={trans.__('Sampler')}
        values={[
          ['', trans.__('none: all points')],
          ['random', trans.__('random')],
          ['tpe', trans.__('tpe: adaptive')]
        ]}
        onChange={value =>
          model.setOption('sampler', value as IOptions['sampler'])
        }
      />
      <div className="jp-Mlops-resource">
        <label htmlFor={id}>{trans.__('Trials')}</label>
        <input
          id={id}
          className="jp-mod-styled"
          value={options.trials}
          disabled={options.sampler === ''}
          aria-invalid={model.unreadable.has('trials')}
          aria-describedby={`${id}-error`}
          onChange={event => model.setOption('trials', event.target.value)}
        />
        <FieldError
          id={`${id}-error`}
          message={
            model.unreadable.has('trials')
              ? trans.__('Write a whole number from 1 on.')
              : model.errorOf('trials')
          }
        />
      </div>
      <Choice
        {...props}
        name="prune"
        label={trans.__('Pruning')}
        values={[
          ['', trans.__('none')],
          ['asha', trans.__('asha: stops laggards')]
        ]}
        onChange={value => model.setOption('prune', value as IOptions['prune'])}
      />
    </>
  );
}

function Choice(
  props: IProps & {
    readonly name: Exclude<Name, 'trials'>;
    readonly label: string;
    readonly values: readonly (readonly [value: string, label: string])[];
    readonly onChange: (value: string) => void;
  }
): ReactElement {
  const { model, name, values } = props;
  const id = useId();
  const error = model.errorOf(name);
  return (
    <div className="jp-Mlops-resource">
      <label htmlFor={id}>{props.label}</label>
      <HTMLSelect
        id={id}
        value={model.options[name]}
        aria-invalid={error !== null}
        aria-describedby={`${id}-error`}
        onChange={event => props.onChange(event.target.value)}
      >
        {values.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </HTMLSelect>
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}
