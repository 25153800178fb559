/** Where the runs go, if there is more than this machine. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useId } from 'react';

import { placeText } from '../environment/words';
import { FieldError } from './field';
import type { FormModel } from './model';

interface IProps {
  readonly model: FormModel;
  readonly trans: TranslationBundle;
}

/** What is wrong with where the runs go, which must not hide, or null. */
export function placeError(model: FormModel): string | null {
  return model.errorOf('executor') ?? model.place?.problem ?? null;
}

export function Place(props: IProps): ReactElement | null {
  const { model, trans } = props;
  const id = useId();
  const error = placeError(model);
  if (model.executors.length < 2) {
    return null;
  }
  return (
    <div className="jp-Mlops-resource">
      <label htmlFor={id}>{trans.__('Where to run')}</label>
      <HTMLSelect
        id={id}
        value={model.place?.name ?? ''}
        aria-invalid={model.errorOf('executor') !== null}
        aria-describedby={`${id}-error`}
        onChange={event => model.setOption('executor', event.target.value)}
      >
        {model.executors.map(executor => (
          <option
            key={executor.name}
            value={executor.name}
            disabled={executor.runs_on === null}
          >
            {placeText(executor, trans)}
          </option>
        ))}
      </HTMLSelect>
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}
