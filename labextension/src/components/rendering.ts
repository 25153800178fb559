/** Showing what runs have made by JupyterLab's own renderers, and never trusting it. */
import type { IOutput } from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MimeModel, OutputModel } from '@jupyterlab/rendermime';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';

/** Render an output of a cell; null if nothing in it is safe or can be made so. */
export function renderOutput(
  rendermime: IRenderMimeRegistry,
  output: IOutput
): IRenderMime.IRenderer | null {
  const model = new OutputModel({ value: output, trusted: false });
  const mimeType = rendermime.preferredMimeType(model.data, 'ensure');
  if (mimeType === undefined) {
    return null;
  }
  const renderer = rendermime.createRenderer(mimeType);
  renderer.addClass('jp-Mlops-output');
  renderer.node.dataset.mimeType = mimeType;
  void renderer.renderModel(model);
  return renderer;
}

/** Render data of one type, made safe. */
export function renderData(
  rendermime: IRenderMimeRegistry,
  mimeType: string,
  data: IRenderMime.IMimeModel['data'][string]
): IRenderMime.IRenderer {
  const renderer = rendermime.createRenderer(mimeType);
  renderer.node.dataset.mimeType = mimeType;
  const model = new MimeModel({ data: { [mimeType]: data }, trusted: false });
  void renderer.renderModel(model);
  return renderer;
}

/** Code as Markdown, whose renderer colours it; the fence is longer than any in the code. */
export function fenced(source: string, language: string): string {
  const longest = Math.max(
    2,
    ...[...source.matchAll(/`+/g)].map(match => match[0].length)
  );
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language.replace(/[^\w+#-]/g, '')}\n${source}\n${fence}`;
}
