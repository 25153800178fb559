/** What a cell has put out, by JupyterLab's own renderers and never trusted. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';

import { renderOutput } from '../components/rendering';
import { ModelView } from '../components/view';
import type { IWrittenCell } from './cells';
import type { RunModel } from './model';

const STDOUT = 'application/vnd.jupyter.stdout';
/** As near to the end, in px, the view follows what is printed. */
const NEAR = 40;

export class OutputsPanel extends ModelView<RunModel> {
  constructor(
    private readonly model: RunModel,
    private readonly rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle
  ) {
    super(model.changed);
    this.addClass('jp-Mlops-outputs');
    this._source = new Widget({ node: document.createElement('pre') });
    this._source.addClass('jp-Mlops-source');
    this._message = new Widget();
    this._message.addClass('jp-Mlops-empty');
    this._outputs = new Panel();
    this.addWidget(this._source);
    this.addWidget(this._message);
    this.addWidget(this._outputs);
  }

  protected override render(): void {
    const { model } = this;
    const { written } = model;
    const source = written?.source ?? '';
    this._source.setHidden(source === '');
    if (this._source.node.textContent !== source) {
      this._source.node.textContent = source;
    }
    const message = this._text();
    this._message.setHidden(message === '');
    this._message.node.textContent = message;
    if (model.isLive) {
      void this._showTail(model.tail?.text ?? '');
    } else if (written !== this._shown) {
      this._show(written);
    }
  }

  /** What is said in place of outputs. */
  private _text(): string {
    const { model, trans } = this;
    if (model.problem !== null) {
      return model.problem;
    }
    if (model.isLive) {
      return model.tail?.text ? '' : trans.__('It has printed nothing yet.');
    }
    if (model.written === null) {
      return model.isReading ? trans.__('Loading…') : trans.__('No outputs.');
    }
    return model.written.outputs.length === 0
      ? trans.__('This cell has put out nothing.')
      : '';
  }

  private async _showTail(text: string): Promise<void> {
    if (this._tail === null) {
      this._clear();
      this._shown = undefined;
      this._tail = this.rendermime.createRenderer(STDOUT);
      this._outputs.addWidget(this._tail);
    } else if (text === this._printed) {
      return;
    }
    this._printed = text;
    const { scrollHeight, scrollTop, clientHeight } = this.node;
    const follows = scrollHeight - scrollTop - clientHeight < NEAR;
    await this._tail.renderModel(new MimeModel({ data: { [STDOUT]: text } }));
    if (follows && !this.isDisposed) {
      this.node.scrollTop = this.node.scrollHeight;
    }
  }

  private _show(written: IWrittenCell | null): void {
    this._clear();
    this._shown = written;
    written?.outputs.forEach(output => {
      const renderer = renderOutput(this.rendermime, output);
      if (renderer) {
        this._outputs.addWidget(renderer);
      }
    });
    this.node.scrollTop = 0;
  }

  private _clear(): void {
    this._tail = null;
    this._printed = null;
    [...this._outputs.widgets].forEach(each => each.dispose());
  }

  private readonly _source: Widget;
  private readonly _message: Widget;
  private readonly _outputs: Panel;
  /** The cell whose outputs are shown; undefined if it is none, or the tail. */
  private _shown: IWrittenCell | null | undefined;
  private _tail: IRenderMime.IRenderer | null = null;
  private _printed: string | null = null;
}
