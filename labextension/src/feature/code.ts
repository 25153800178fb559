/** The code of a feature, coloured by JupyterLab's own renderer. */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { fenced, renderData } from '../components/rendering';
import { ModelView } from '../components/view';
import type { FeatureModel } from './model';

export class CodeView extends ModelView<FeatureModel> {
  constructor(
    private readonly model: FeatureModel,
    private readonly rendermime: IRenderMimeRegistry,
    private readonly trans: TranslationBundle,
    /** Open the module at a line. */
    private readonly open: (path: string, line: number) => void
  ) {
    super(model.changed);
    this.addClass('jp-Mlops-featureCode');
    this.node.setAttribute('role', 'region');
    this.node.ariaLabel = trans.__('Code');
    const title = document.createElement('h3');
    title.textContent = trans.__('Code');
    this._place = document.createElement('button');
    this._place.className = 'jp-Mlops-link';
    this._place.title = trans.__('Open the module');
    this._place.addEventListener('click', () => {
      const { detail } = this.model;
      if (detail) {
        this.open(detail.path, detail.line);
      }
    });
    title.append(this._place);
    this.addWidget(new Widget({ node: title }));
  }

  protected override render(): void {
    const { detail } = this.model;
    this.node.hidden = detail === null;
    const code = detail?.code ?? '';
    this._place.textContent = detail
      ? this.trans.__('%1, line %2', detail.path, detail.line)
      : '';
    if (code !== this._shown) {
      this._shown = code;
      this._renderer?.dispose();
      this._renderer = renderData(
        this.rendermime,
        'text/markdown',
        fenced(code, 'python')
      );
      this._renderer.addClass('jp-Mlops-code');
      this.addWidget(this._renderer);
    }
  }

  private readonly _place: HTMLButtonElement;
  private _renderer: Widget | null = null;
  private _shown = '';
}
