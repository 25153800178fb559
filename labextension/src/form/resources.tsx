/** What each run may use, folded away at first. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { useId, useState } from 'react';

import { FieldError } from './field';
import type { FormModel } from './model';
import type { OptionName } from './options';
import { Place, placeError } from './place';
import { isSearchWrong, Search } from './search';

interface IProps {
  readonly model: FormModel;
  readonly trans: TranslationBundle;
}

type Resource = Extract<
  OptionName,
  'cpus' | 'gpus' | 'memory' | 'priority' | 'retries' | 'timeout'
>;

export function Resources(props: IProps): ReactElement {
  const { model, trans } = props;
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const fields: readonly (readonly [Resource, string, string])[] = [
    ['cpus', trans.__('Cores per run'), '1'],
    ['memory', trans.__('Memory per run'), trans.__('no limit, or 2 GB')],
    ['gpus', trans.__('GPUs per run'), '0'],
    ['timeout', trans.__('Time limit'), trans.__('no limit, or 10 min')],
    ['retries', trans.__('Retries'), '0'],
    ['priority', trans.__('Priority'), '0']
  ];
  // A field that is wrong must not hide.
  const isShown =
    isOpen ||
    isSearchWrong(model) ||
    placeError(model) !== null ||
    fields.some(([name]) => model.unreadable.has(name) || model.errorOf(name));
  return (
    <div className="jp-Mlops-resources">
      <button
        type="button"
        className="jp-Mlops-fold"
        aria-expanded={isShown}
        aria-controls={id}
        onClick={() => setOpen(!isShown)}
      >
        <span className="jp-Mlops-caret" data-expanded={isShown} />
        {model.executors.length > 1
          ? trans.__('Resources and retries, where to run, adaptive search')
          : trans.__('Resources and retries, adaptive search')}
      </button>
      <div id={id} className="jp-Mlops-resourceFields" hidden={!isShown}>
        {fields.map(([name, label, placeholder]) => (
          <ResourceField
            {...props}
            key={name}
            name={name}
            label={label}
            placeholder={placeholder}
          />
        ))}
        <Place {...props} />
        <Search {...props} />
      </div>
    </div>
  );
}

function ResourceField(
  props: IProps & {
    readonly name: Resource;
    readonly label: string;
    readonly placeholder: string;
  }
): ReactElement {
  const { model, name, trans } = props;
  const id = useId();
  const isUnreadable = model.unreadable.has(name);
  const error = isUnreadable ? resourceHelp(name, trans) : model.errorOf(name);
  return (
    <div className="jp-Mlops-resource">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        className="jp-mod-styled"
        value={model.options[name]}
        placeholder={props.placeholder}
        aria-invalid={error !== null}
        aria-describedby={`${id}-error`}
        onChange={event => model.setOption(name, event.target.value)}
      />
      <FieldError id={`${id}-error`} message={error} />
    </div>
  );
}

function resourceHelp(name: Resource, trans: TranslationBundle): string {
  switch (name) {
    case 'memory':
      return trans.__('Write a size like 2 GB or 512 MB.');
    case 'timeout':
      return trans.__('Write a time like 90 s or 10 min.');
    case 'cpus':
      return trans.__('Write a whole number from 1 on.');
    case 'gpus':
    case 'retries':
      return trans.__('Write a whole number from 0 on.');
    case 'priority':
      return trans.__('Write a whole number.');
  }
}
