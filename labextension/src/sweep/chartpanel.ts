/** The chart of a sweep's metric, drawn by JupyterLab's own renderer of Vega-Lite. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';

import { formatNumber } from '../format';
import { decodeNumber } from '../values';
import { buildChart } from './chart';
import type { SweepModel } from './model';
import { readPalette } from './theme';

const MIME_TYPE = 'application/vnd.vegalite.v5+json';
/** Changes are gathered for this long, in ms, before the chart is drawn again. */
const GATHER = 150;
const LEAST_WIDTH = 160;
const LEAST_HEIGHT = 120;

export class ChartPanel extends Panel {
  constructor(
    private readonly model: SweepModel,
    private readonly rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Mlops-chart');
    this.node.setAttribute('role', 'img');
    this._message = new Widget();
    this._message.addClass('jp-Mlops-chartMessage');
    this.addWidget(this._message);
    model.changed.connect(this.redraw, this);
  }

  override dispose(): void {
    clearTimeout(this._timer);
    this._drawn = null;
    this.model.changed.disconnect(this.redraw, this);
    super.dispose();
  }

  /** Draw the chart again soon, if what it shows has changed. */
  redraw(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      void this._draw();
    }, GATHER);
  }

  protected override onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    this.redraw();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this.redraw();
  }

  private async _draw(): Promise<void> {
    if (!this.isVisible) {
      return;
    }
    const spec = this._spec();
    const key = JSON.stringify(spec);
    if (key === this._drawn) {
      return;
    }
    this._drawn = key;
    this.node.ariaLabel = this._summary();
    if (!spec) {
      this._show(null);
      this._message.node.textContent = this.trans.__('No values yet');
      return;
    }
    const renderer = this.rendermime.createRenderer(MIME_TYPE);
    renderer.addClass('jp-Mlops-drawing');
    renderer.addClass('jp-mod-hidden');
    this.addWidget(renderer);
    await renderer.renderModel(this._mimeModel(spec));
    if (key !== this._drawn) {
      renderer.dispose();
      return;
    }
    renderer.removeClass('jp-mod-hidden');
    this._message.node.textContent = '';
    this._show(renderer);
  }

  /** Put a chart that is complete in the place of the last one. */
  private _show(renderer: IRenderMime.IRenderer | null): void {
    this._renderer?.dispose();
    this._renderer = renderer;
  }

  private _mimeModel(spec: PartialJSONObject): MimeModel {
    const isDark = document.body.dataset.jpThemeLight === 'false';
    const embed_options = {
      actions: false,
      tooltip: { theme: isDark ? 'dark' : 'light' }
    };
    return new MimeModel({
      data: { [MIME_TYPE]: spec },
      metadata: { [MIME_TYPE]: { embed_options } },
      // The renderer adds a picture for saving, which nobody saves here.
      callback: () => undefined
    });
  }

  private _spec(): PartialJSONObject | null {
    const { model, trans } = this;
    const { sweep, metric } = model;
    if (!sweep || metric === null) {
      return null;
    }
    return buildChart({
      sweep,
      metric,
      axis: model.axis,
      runs: model.runs,
      series: model.series,
      selected: model.selected,
      width: Math.max(LEAST_WIDTH, this.node.clientWidth - 16),
      height: Math.max(LEAST_HEIGHT, this.node.clientHeight - 16),
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

  /** What a screen reader says in place of the chart; the table has the values. */
  private _summary(): string {
    const { model, trans } = this;
    const best = decodeNumber(model.sweep?.best?.value);
    const title = trans.__('Chart of %1', model.metric ?? trans.__('metrics'));
    return best === null
      ? title
      : trans.__('%1, best value %2', title, formatNumber(best));
  }

  private readonly _message: Widget;
  private _renderer: IRenderMime.IRenderer | null = null;
  private _drawn: string | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}
