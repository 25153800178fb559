/** How many runs it makes, how they are made and how they are ranked. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useId } from 'react';

import { formatDuration } from '../format';
import { FieldError } from './field';
import type { FormModel } from './model';
import type { IOptions } from './options';

interface IProps {
  readonly model: FormModel;
  readonly trans: TranslationBundle;
}

/** The line of the count: `48 runs · grid ▾   about 3 min on 2 cores`. */
export function Summary(props: IProps): ReactElement {
  const { model, trans } = props;
  const { options } = model;
  const id = useId();
  return (
    <div className="jp-Mlops-summary">
      <div className="jp-Mlops-line" data-stale={model.isCounting}>
        <span className="jp-Mlops-count" role="status">
          {countText(model, trans)}
        </span>
        <HTMLSelect
          aria-label={trans.__('How values are combined')}
          value={options.mode}
          // A sampler chooses the points itself.
          disabled={options.sampler !== ''}
          onChange={event =>
            model.setOption('mode', event.target.value as IOptions['mode'])
          }
        >
          <option value="grid">{trans.__('grid: all combinations')}</option>
          <option value="zip">{trans.__('zip: first with first…')}</option>
          <option value="random">{trans.__('random samples')}</option>
        </HTMLSelect>
        {options.mode === 'random' && options.sampler === '' && (
          <Samples {...props} />
        )}
        <span className="jp-Mlops-muted jp-Mlops-estimate">
          {estimateText(model, trans)}
        </span>
      </div>
      <FieldError id={`${id}-error`} message={model.errorOf('')} />
    </div>
  );
}

/** Which metric ranks the runs, and under which name they are tracked. */
export function Ranking(props: IProps): ReactElement {
  const { model, trans } = props;
  const { options, declared } = model;
  const id = useId();
  return (
    <div className="jp-Mlops-ranking">
      <label htmlFor={`${id}-metric`}>{trans.__('Rank by')}</label>
      <input
        id={`${id}-metric`}
        className="jp-mod-styled"
        list={`${id}-metrics`}
        value={options.metric}
        placeholder={trans.__('a metric')}
        autoComplete="off"
        aria-invalid={model.errorOf('metric') !== null}
        aria-describedby={`${id}-error`}
        onChange={event => model.setOption('metric', event.target.value)}
      />
      <datalist id={`${id}-metrics`}>
        {declared?.metrics.map(name => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <HTMLSelect
        aria-label={trans.__('Best value')}
        value={options.direction}
        onChange={event =>
          model.setOption(
            'direction',
            event.target.value as IOptions['direction']
          )
        }
      >
        <option value="">{trans.__('best by its name')}</option>
        <option value="highest">{trans.__('highest')}</option>
        <option value="lowest">{trans.__('lowest')}</option>
      </HTMLSelect>
      <label htmlFor={`${id}-experiment`}>{trans.__('Experiment')}</label>
      <input
        id={`${id}-experiment`}
        className="jp-mod-styled"
        value={options.experiment}
        placeholder={declared?.experiment}
        autoComplete="off"
        onChange={event => model.setOption('experiment', event.target.value)}
      />
      <FieldError id={`${id}-error`} message={model.errorOf('metric')} />
    </div>
  );
}

function Samples(props: IProps): ReactElement {
  const { model, trans } = props;
  return (
    <>
      {(['samples', 'seed'] as const).map(name => (
        <input
          key={name}
          className="jp-mod-styled jp-Mlops-short"
          value={model.options[name]}
          aria-label={
            name === 'samples'
              ? trans.__('Number of samples')
              : trans.__('Seed')
          }
          placeholder={
            name === 'samples' ? trans.__('samples') : trans.__('seed')
          }
          aria-invalid={model.unreadable.has(name)}
          onChange={event => model.setOption(name, event.target.value)}
        />
      ))}
    </>
  );
}

function countText(model: FormModel, trans: TranslationBundle): string {
  const count = model.preview?.count ?? null;
  if (count === null) {
    return model.isCounting ? trans.__('Counting…') : trans.__('No runs yet');
  }
  return trans._n('%1 run', '%1 runs', count);
}

function estimateText(model: FormModel, trans: TranslationBundle): string {
  if ((model.preview?.count ?? null) === null) {
    return '';
  }
  const seconds = model.preview?.seconds ?? null;
  const place = placeOf(model, trans);
  const time = seconds === null ? null : formatDuration(seconds, trans);
  if (place === null) {
    return time === null
      ? trans.__('time unknown')
      : trans.__('about %1', time);
  }
  return time === null
    ? trans.__('time unknown, on %1', place)
    : trans.__('about %1 on %2', time, place);
}

/** What the runs share, cores of this machine or of a cluster, or null if it is not known. */
function placeOf(model: FormModel, trans: TranslationBundle): string | null {
  const cluster = model.place?.remote ? model.place.name : null;
  const cores = model.preview?.cores ?? null;
  if (cores === null) {
    return cluster;
  }
  return cluster === null
    ? trans._n('%1 core', '%1 cores', cores)
    : trans._n('%1 core of %2', '%1 cores of %2', cores, cluster);
}
