/** The charts of runs that are compared. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PartialJSONObject } from '@lumino/coreutils';

import type { ISize } from '../components/drawing';
import { Drawing } from '../components/drawing';
import { readPalette } from '../sweep/theme';
import type { IDrawn } from './charts';
import { curvesSpec, parallelSpec } from './charts';
import type { CompareModel } from './model';

abstract class CompareDrawing extends Drawing {
  constructor(
    protected readonly model: CompareModel,
    rendermime: IRenderMimeRegistry,
    protected readonly trans: TranslationBundle
  ) {
    super(rendermime);
    model.changed.connect(this.redraw, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.redraw, this);
    super.dispose();
  }

  protected drawn(size: ISize): IDrawn {
    const { model, trans } = this;
    return {
      ...size,
      runs: model.runs,
      names: (model.view?.parameters ?? []).flatMap(row =>
        row.differs ? row.name : []
      ),
      palette: readPalette(),
      words: {
        step: trans.__('step'),
        run: trans.__('run'),
        others: trans.__('other runs')
      }
    };
  }
}

/** A metric of all runs by step. */
export class CurvesDrawing extends CompareDrawing {
  protected override spec(size: ISize): PartialJSONObject | null {
    const { metric, curves } = this.model;
    return metric === null || !curves
      ? null
      : curvesSpec(this.drawn(size), metric, curves.series);
  }

  protected override summary(): string {
    const { metric, runs } = this.model;
    return this.trans.__('%1 of %2 runs by step', metric ?? '', runs.length);
  }

  protected override emptyText(): string {
    const { curves, curvesProblem, metric } = this.model;
    const text = curvesProblem ?? curves?.notes[0];
    if (text !== undefined) {
      return text;
    }
    return metric === null || curves
      ? this.trans.__('These runs logged no metric.')
      : this.trans.__('Loading…');
  }
}

/** Each run as a line through what differs. */
export class ParallelDrawing extends CompareDrawing {
  protected override spec(size: ISize): PartialJSONObject | null {
    return parallelSpec(this.drawn(size), this.model.differing);
  }

  protected override summary(): string {
    const names = this.model.differing.map(row => row.name).join(', ');
    return this.trans.__('Runs as lines through %1', names);
  }

  protected override emptyText(): string {
    return this.trans.__(
      'Fewer than two parameters and metrics differ. The table has the values.'
    );
  }
}
