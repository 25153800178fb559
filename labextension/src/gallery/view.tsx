/** Pictures of runs side by side, each with what tells its run apart. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import type { KeyboardEvent, ReactElement } from 'react';
import { useId, useRef, useState } from 'react';

import { useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import type { IRowHandlers } from '../runs/handlers';
import type { GalleryModel } from './model';
import type { Size, Source } from './state';
import { SIZES, sourceKey } from './state';
import { Tile } from './tile';

interface IProps {
  readonly model: GalleryModel;
  readonly trans: TranslationBundle;
}

/** What is shown, and how large. */
export function GalleryHead(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { sweep, store, sources, source } = model;
  if (!sweep) {
    return (
      <div className="jp-Mlops-sweepHead jp-Mlops-muted">
        {model.isGone
          ? trans.__('This sweep does not exist any more.')
          : trans.__('Loading…')}
      </div>
    );
  }
  return (
    <section className="jp-Mlops-sweepHead" aria-label={trans.__('Summary')}>
      {store.problem && (
        <Problem
          problem={store.problem}
          trans={trans}
          onRetry={() => void store.refresh()}
        />
      )}
      <div className="jp-Mlops-sweepTitle">
        <h2 title={sweep.notebook}>{sweep.notebook}</h2>
        <span>{trans._n('%1 run', '%1 runs', sweep.total)}</span>
        {sources && sources.length > 0 && (
          <Choice
            label={trans.__('Picture')}
            value={source ? sourceKey(source) : ''}
            options={sources.map(each => ({
              key: sourceKey(each),
              text: sourceText(each, trans)
            }))}
            onChange={key => {
              const found = sources.find(each => sourceKey(each) === key);
              if (found) {
                model.show(found);
              }
            }}
          />
        )}
        <Choice
          label={trans.__('Size')}
          value={model.size}
          options={SIZES.map(each => ({
            key: each,
            text: sizeText(each, trans)
          }))}
          onChange={key => model.resize(key as Size)}
        />
      </div>
    </section>
  );
}

function Choice(props: {
  readonly label: string;
  readonly value: string;
  readonly options: readonly { readonly key: string; readonly text: string }[];
  readonly onChange: (key: string) => void;
}): ReactElement {
  const id = useId();
  return (
    <span className="jp-Mlops-line jp-Mlops-choice">
      <label htmlFor={id}>{props.label}</label>
      <HTMLSelect
        id={id}
        value={props.value}
        onChange={event => props.onChange(event.target.value)}
      >
        {props.options.map(({ key, text }) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </HTMLSelect>
    </span>
  );
}

export function Gallery(
  props: IProps & { readonly handlers: IRowHandlers }
): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const [active, setActive] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const { runs, sweep, store, source, sources, problem } = model;
  if (!sweep || !source) {
    return (
      <p className="jp-Mlops-empty">
        {problem ??
          (sources
            ? trans.__('Its runs have kept no pictures, and drawn none.')
            : trans.__('Looking for pictures…'))}
      </p>
    );
  }
  const current = runs.find(each => each.id === active) ?? runs[0];
  const onKeyDown = (event: KeyboardEvent): void => {
    const tiles = [...(list.current?.children ?? [])] as HTMLElement[];
    const index = tiles.findIndex(each => each.contains(event.target as Node));
    const next = tiles[step(event.key, index, tiles)];
    if (next) {
      event.preventDefault();
      next.querySelector<HTMLElement>('button')?.focus();
    }
  };
  return (
    // The pictures take the focus, one at a time.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <ul
      ref={list}
      className="jp-Mlops-gallery"
      data-size={model.size}
      aria-label={trans.__('Pictures of the runs')}
      onKeyDown={onKeyDown}
    >
      {runs.map(run => (
        <li key={run.id}>
          <Tile
            {...props}
            target={{ kind: 'run', store, sweep, run }}
            picture={model.picture(run)}
            isActive={run === current}
            onActive={() => setActive(run.id)}
          />
        </li>
      ))}
    </ul>
  );
}

function sourceText(source: Source, trans: TranslationBundle): string {
  return source.kind === 'file'
    ? source.path
    : trans.__('Output of cell %1', source.cell);
}

function sizeText(size: Size, trans: TranslationBundle): string {
  switch (size) {
    case 'small':
      return trans.__('small');
    case 'medium':
      return trans.__('medium');
    case 'large':
      return trans.__('large');
  }
}

/** The tile that a key leads to; -1 if it leads nowhere. */
function step(
  key: string,
  index: number,
  tiles: readonly HTMLElement[]
): number {
  const top = tiles[0]?.offsetTop;
  const columns = tiles.filter(each => each.offsetTop === top).length;
  switch (key) {
    case 'ArrowRight':
      return index + 1;
    case 'ArrowLeft':
      return index - 1;
    case 'ArrowDown':
      return index + columns;
    case 'ArrowUp':
      return index - columns;
    case 'Home':
      return 0;
    case 'End':
      return tiles.length - 1;
    default:
      return -1;
  }
}
