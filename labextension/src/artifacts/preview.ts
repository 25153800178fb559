/** The chosen file, shown as far as it can be without running anything. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';

import { ModelView } from '../components/view';
import { formatSize } from '../format';
import type { ArtifactsModel, IPreview } from './model';
import { renderPreview } from './rendering';

export class PreviewPanel extends ModelView<ArtifactsModel> {
  constructor(
    private readonly model: ArtifactsModel,
    private readonly rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle
  ) {
    super(model.changed);
    this.addClass('jp-Mlops-preview');
    this.node.setAttribute('role', 'region');
    this.node.ariaLabel = trans.__('Preview');
    this.node.tabIndex = 0;
    this._message = new Widget();
    this._message.addClass('jp-Mlops-empty');
    this._content = new Panel();
    this.addWidget(this._message);
    this.addWidget(this._content);
    // Errors of pictures do not bubble.
    this._content.node.addEventListener('error', () => this._onError(), true);
  }

  protected override render(): void {
    const { preview } = this.model;
    if (preview !== this._shown) {
      this._shown = preview;
      [...this._content.widgets].forEach(each => each.dispose());
      const rendered =
        preview && renderPreview(preview, this.rendermime, this.trans);
      this._isOther = preview !== null && rendered === null;
      this._content.show();
      rendered?.forEach(each => this._content.addWidget(each));
      this.node.scrollTop = 0;
    }
    const text = this._text();
    this._message.setHidden(text === '');
    this._message.node.textContent = text;
  }

  /** A picture cannot be drawn. */
  private _onError(): void {
    const kind = this._shown?.kind;
    if (kind === 'image' || kind === 'svg') {
      this._isOther = true;
      this._content.hide();
      this.render();
    }
  }

  /** What is said above the file, or in its place. */
  private _text(): string {
    const { model, trans } = this;
    const { chosen, preview, hindrance } = model;
    if (!chosen) {
      return trans.__('Choose a file to look into it.');
    }
    if (preview) {
      return this._isOther
        ? trans.__('It is not what its name promises. Download it to look.')
        : preview.isCut
          ? trans.__(
              'The first %1 of %2.',
              formatSize(preview.bytes.length, trans),
              formatSize(chosen.size ?? preview.bytes.length, trans)
            )
          : preview.bytes.length === 0
            ? trans.__('The file is empty.')
            : preview.kind === 'html'
              ? trans.__(
                  'Shown without its scripts and styles. Download it to see it as a page.'
                )
              : '';
    }
    switch (hindrance?.kind) {
      case 'failed':
        return hindrance.message;
      case 'large':
        return trans.__('It is too large to be shown here. Download it.');
      case 'type':
        return trans.__('Files of this type are not shown. Download it.');
      default:
        return trans.__('Loading…');
    }
  }

  private readonly _message: Widget;
  private readonly _content: Panel;
  private _shown: IPreview | null = null;
  private _isOther = false;
}
