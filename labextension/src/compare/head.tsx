/** The head of a tab of compared runs: how many, what differs, and which part is shown. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { CompareRow, CompareView } from '../api/types';
import { Choice } from '../components/choice';
import { useSignal } from '../components/hooks';
import { Problem } from '../components/problem';
import { Tabs } from '../components/tabs';
import type { CompareModel } from './model';
import type { Part } from './state';
import { PARTS } from './state';

interface IProps {
  readonly model: CompareModel;
  readonly trans: TranslationBundle;
}

export function CompareHead(
  props: IProps & {
    readonly idOf: (part: Part) => string;
    /** Open the pictures of all runs of their sweep. */
    readonly onGallery: () => void;
  }
): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { view, problem } = model;
  const sweeps = new Set(model.runs.map(run => run.sweep_id));
  return (
    <section
      className="jp-Mlops-sweepHead jp-Mlops-compareHead"
      aria-label={trans.__('Summary')}
    >
      {problem && (
        <Problem
          problem={problem}
          trans={trans}
          onRetry={() => void model.refresh()}
        />
      )}
      <div className="jp-Mlops-sweepTitle">
        <h2>{view ? title(view, trans) : trans.__('Compared runs')}</h2>
        {view && (
          <span>
            {trans.__(
              '%1 parameters and %2 metrics differ',
              differing(view.parameters, trans),
              differing(view.metrics, trans)
            )}
          </span>
        )}
      </div>
      <div className="jp-Mlops-compareBar">
        <Tabs
          model={model}
          parts={PARTS}
          label={trans.__('How the runs are compared')}
          nameOf={part => partLabel(part, trans)}
          idOf={props.idOf}
        />
        {sweeps.size === 1 && model.runs.length > 1 && (
          <Button small onClick={props.onGallery}>
            {trans.__('Gallery')}
          </Button>
        )}
        <Chooser model={model} trans={trans} />
      </div>
    </section>
  );
}

function title(view: CompareView, trans: TranslationBundle): string {
  const { total, runs } = view;
  return total > runs.length
    ? trans.__('%1 of %2 runs', runs.length, total)
    : trans._n('%1 run', '%1 runs', total);
}

function differing(
  rows: readonly CompareRow[],
  trans: TranslationBundle
): string {
  const count = rows.filter(row => row.differs).length;
  return trans.__('%1 of %2', count, rows.length);
}

/** What stands on a part's tab. */
export function partLabel(part: Part, trans: TranslationBundle): string {
  switch (part) {
    case 'table':
      return trans.__('Table');
    case 'curves':
      return trans.__('Curves');
    case 'parallel':
      return trans.__('Parallel');
    case 'cells':
      return trans.__('Cells');
  }
}

/** The metric of the curves, or the runs whose notebooks are compared. */
function Chooser(props: IProps): ReactElement | null {
  const { model, trans } = props;
  const { pair } = model;
  switch (model.part) {
    case 'curves':
      return (
        <Choice
          label={trans.__('Metric')}
          value={model.metric}
          values={model.metrics}
          onChange={name => model.draw(name)}
        />
      );
    case 'cells': {
      const ids = model.runs.flatMap(run =>
        run.output === null ? [] : run.id
      );
      return pair ? (
        <>
          <Choice
            label={trans.__('Left')}
            value={pair[0]}
            values={ids}
            onChange={left => model.compareCells(left, pair[1])}
          />
          <Choice
            label={trans.__('Right')}
            value={pair[1]}
            values={ids.filter(id => id !== pair[0])}
            onChange={right => model.compareCells(pair[0], right)}
          />
        </>
      ) : null;
    }
    default:
      return null;
  }
}
