/** A chart that JupyterLab's own renderer of Vega-Lite draws, again whenever it has changed. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { PartialJSONObject } from '@lumino/coreutils';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';

const MIME_TYPE = 'application/vnd.vegalite.v5+json';
/** Changes are gathered for this long, in ms, before the chart is drawn again. */
const GATHER = 150;
const LEAST_WIDTH = 160;
const LEAST_HEIGHT = 120;

export interface ISize {
  readonly width: number;
  readonly height: number;
}

export abstract class Drawing extends Panel {
  constructor(private readonly rendermime: IRenderMimeRegistry) {
    super();
    this.addClass('jp-Mlops-chart');
    this.node.setAttribute('role', 'img');
    this._message = new Widget();
    this._message.addClass('jp-Mlops-chartMessage');
    this.addWidget(this._message);
  }

  override dispose(): void {
    clearTimeout(this._timer);
    this._drawn = null;
    super.dispose();
  }

  /** Draw the chart again soon, if what it shows has changed. */
  redraw(): void {
    this._timer ??= setTimeout(() => {
      this._timer = undefined;
      void this._draw();
    }, GATHER);
  }

  /** The chart, or null if there is nothing to show. */
  protected abstract spec(size: ISize): PartialJSONObject | null;

  /** What a screen reader says in place of the chart. */
  protected abstract summary(): string;

  /** What stands in place of a chart that shows nothing. */
  protected abstract emptyText(): string;

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
    const spec = this.spec({
      width: Math.max(LEAST_WIDTH, this.node.clientWidth - 16),
      height: Math.max(LEAST_HEIGHT, this.node.clientHeight - 16)
    });
    this.node.ariaLabel = this.summary();
    const text = spec ? '' : this.emptyText();
    const key = spec ? JSON.stringify(spec) : text;
    if (key === this._drawn) {
      return;
    }
    this._drawn = key;
    if (!spec) {
      this._show(null);
      this._message.node.textContent = text;
      return;
    }
    const renderer = this.rendermime.createRenderer(MIME_TYPE);
    renderer.addClass('jp-Mlops-drawing');
    renderer.addClass('jp-mod-hidden');
    this.addWidget(renderer);
    await renderer.renderModel(mimeModel(spec));
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

  private readonly _message: Widget;
  private _renderer: IRenderMime.IRenderer | null = null;
  private _drawn: string | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
}

function mimeModel(spec: PartialJSONObject): MimeModel {
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
