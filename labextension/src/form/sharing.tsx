/** The hint that cells could be shared by all runs, folded to one line at first. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';
import { useId, useState } from 'react';

import type { SharingCell, SharingView } from '../api/types';
import { formatDuration, formatEstimate } from '../format';
import type { FormModel } from './model';
import type { IKnownCell } from './notebooks';

/** Seconds that are worth a line. */
const WORTH = 1;

interface IProps {
  readonly model: FormModel;
  readonly trans: TranslationBundle;
  /** Tags cells and returns whether that was done; null if the notebook is not open. */
  readonly onShare: ((cells: readonly IKnownCell[]) => boolean) | null;
}

/** The line `▸ 2 cells could be shared: saves about 40 s   Tag them`, or nothing. */
export function Sharing(props: IProps): ReactElement | null {
  const { model, trans } = props;
  const [tagged, setTagged] = useState<readonly number[]>([]);
  const cells = worthSharing(model.sharing);
  if (model.sharing && cells.length > 0 && tagged.length === 0) {
    return (
      <Hint
        {...props}
        cells={cells}
        sharing={model.sharing}
        onTagged={() => setTagged(cells.map(({ cell }) => cell))}
      />
    );
  }
  const count = new Set([...tagged, ...taggedCells(model.sharing)]).size;
  return count === 0 ? null : (
    <p className="jp-Mlops-muted jp-Mlops-hint" role="status">
      {trans._n(
        '%1 cell is tagged shared: it is executed once for all runs.',
        '%1 cells are tagged shared: they are executed once for all runs.',
        count
      )}
    </p>
  );
}

/** The cells that are shared since they are tagged. */
function taggedCells(sharing: SharingView | null): readonly number[] {
  const found = (sharing?.cells ?? []).filter(
    ({ state, tagged }) => tagged && state === 'shared'
  );
  return found.map(({ cell }) => cell);
}

/** The cells that should be tagged, if that saves some time. */
export function worthSharing(
  sharing: SharingView | null
): readonly SharingCell[] {
  return sharing && sharing.saved >= WORTH
    ? sharing.cells.filter(({ state }) => state === 'suggested')
    : [];
}

function Hint(
  props: IProps & {
    readonly cells: readonly SharingCell[];
    readonly sharing: SharingView;
    readonly onTagged: () => void;
  }
): ReactElement {
  const { cells, model, onShare, sharing, trans } = props;
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  return (
    <div className="jp-Mlops-sharing">
      <div className="jp-Mlops-line" data-stale={model.isCounting}>
        <button
          type="button"
          className="jp-Mlops-fold"
          aria-expanded={isOpen}
          aria-controls={id}
          onClick={() => setOpen(!isOpen)}
        >
          <span className="jp-Mlops-caret" data-expanded={isOpen} />
          <span>
            {trans._n(
              '%1 cell could be shared: saves about %2',
              '%1 cells could be shared: saves about %2',
              cells.length,
              formatEstimate(sharing.saved, trans)
            )}
          </span>
        </button>
        {!onShare && (
          <span className="jp-Mlops-muted" id={`${id}-why`}>
            {trans._n(
              'open the notebook to tag it',
              'open the notebook to tag them',
              cells.length
            )}
          </span>
        )}
        <Button
          small
          disabled={!onShare}
          aria-describedby={onShare ? undefined : `${id}-why`}
          onClick={() => {
            if (onShare?.(cells)) {
              props.onTagged();
            }
          }}
        >
          {trans._n('Tag it', 'Tag them', cells.length)}
        </Button>
      </div>
      <div id={id} className="jp-Mlops-sharingCells" hidden={!isOpen}>
        <p className="jp-Mlops-muted jp-Mlops-hint">
          {trans.__(
            'What does not depend on parameters need be executed only once: with the tag “shared” all runs have what it made. Random numbers that are drawn there are the same for all.'
          )}
        </p>
        <ul>
          {cells.map(({ cell, seconds, source }) => (
            <li key={cell}>
              <span className="jp-Mlops-muted">
                {trans.__('cell %1', cell)}
              </span>
              <code>{firstLine(source)}</code>
              <span className="jp-Mlops-number">
                {formatDuration(seconds ?? 0, trans)}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

/** The first line of a cell that says something. */
export function firstLine(source: string): string {
  const lines = source.split('\n').map(line => line.trim());
  return lines.find(line => line !== '' && !/^(#|%%)/.test(line)) ?? '';
}
