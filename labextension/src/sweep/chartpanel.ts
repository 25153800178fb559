/** The chart of a sweep's metric. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PartialJSONObject } from '@lumino/coreutils';

import type { ISize } from '../components/drawing';
import { Drawing } from '../components/drawing';
import { formatNumber } from '../format';
import { decodeNumber } from '../values';
import { buildChart } from './chart';
import type { SweepModel } from './model';
import { readPalette } from './theme';

export class ChartPanel extends Drawing {
  constructor(
    private readonly model: SweepModel,
    rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle
  ) {
    super(rendermime);
    model.changed.connect(this.redraw, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.redraw, this);
    super.dispose();
  }

  protected override spec({ width, height }: ISize): PartialJSONObject | null {
    const { model, trans } = this;
    const { sweep, metric } = model;
    if (!sweep || metric === null) {
      return null;
    }
    const listed = new Set(model.listed.map(({ id }) => id));
    return buildChart({
      sweep,
      metric,
      axis: model.axis,
      runs: model.listed,
      series: model.series.filter(each => listed.has(each.run_id)),
      selected: model.selected,
      width,
      height,
      palette: readPalette(),
      words: {
        best: trans.__('best run'),
        selected: trans.__('selected run'),
        other: trans.__('other runs'),
        step: trans.__('step'),
        run: trans.__('run')
      }
    });
  }

  /** The table has the values. */
  protected override summary(): string {
    const { model, trans } = this;
    const best = decodeNumber(model.sweep?.best?.value);
    const title = trans.__('Chart of %1', model.metric ?? trans.__('metrics'));
    return best === null
      ? title
      : trans.__('%1, best value %2', title, formatNumber(best));
  }

  protected override emptyText(): string {
    return this.trans.__('No values yet');
  }
}
