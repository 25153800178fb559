/** Files as widgets, each by the renderer that JupyterLab has for it. */
import type { INotebookContent, IOutput } from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { PartialJSONValue } from '@lumino/coreutils';
import { Widget } from '@lumino/widgets';

import { fenced, renderData, renderOutput } from '../components/rendering';
import { base64, dataUrl } from './kinds';
import type { IPreview } from './model';
import { readTable } from './table';

/** Rows of a table, and cells of a notebook, that are shown. */
const ROWS = 200;
const CELLS = 500;

/** Render a file; null if it is not what its name promises. */
export function renderPreview(
  preview: IPreview,
  rendermime: IRenderMimeRegistry,
  trans: TranslationBundle
): readonly Widget[] | null {
  const { kind, artifact, bytes, isCut } = preview;
  const type = artifact.media_type;
  switch (kind) {
    case 'image':
      return [renderData(rendermime, type, base64(bytes))];
    case 'svg':
      return [picture(dataUrl(type, bytes), artifact.path)];
    case 'notebook':
      return renderNotebook(textOf(bytes), rendermime, trans);
    case 'json':
      return renderJSON(textOf(bytes), rendermime);
    case 'table': {
      const delimiter = type === 'text/csv' ? ',' : '\t';
      return tableWidgets(textOf(bytes), delimiter, isCut, trans);
    }
    case 'markdown':
    case 'html':
      return [renderData(rendermime, type, textOf(bytes))];
    case 'text': {
      const text = textOf(bytes);
      return text.includes('\0')
        ? null
        : [renderData(rendermime, 'text/plain', text)];
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A picture in whose own document nothing runs, and nothing is loaded. */
function picture(address: string, name: string): Widget {
  const image = document.createElement('img');
  image.src = address;
  image.alt = name;
  const node = document.createElement('div');
  node.className = 'jp-RenderedImage';
  node.append(image);
  return new Widget({ node });
}

function renderJSON(
  text: string,
  rendermime: IRenderMimeRegistry
): readonly Widget[] {
  let value: PartialJSONValue;
  try {
    value = JSON.parse(text) as PartialJSONValue;
  } catch {
    // NaN, for example, is written by many and read by few.
    return [renderData(rendermime, 'text/plain', text)];
  }
  const isTree = typeof value === 'object' && value !== null;
  const type = 'application/json';
  return isTree && rendermime.mimeTypes.includes(type)
    ? [renderData(rendermime, type, value)]
    : [renderData(rendermime, 'text/plain', text)];
}

/** Cells and outputs from top to bottom. */
function renderNotebook(
  text: string,
  rendermime: IRenderMimeRegistry,
  trans: TranslationBundle
): readonly Widget[] | null {
  let notebook: Partial<INotebookContent>;
  try {
    notebook = JSON.parse(text) as Partial<INotebookContent>;
  } catch {
    return null;
  }
  if (!Array.isArray(notebook.cells)) {
    return null;
  }
  const language = notebook.metadata?.language_info?.name ?? 'python';
  const cells = notebook.cells.slice(0, CELLS).flatMap(cell => {
    const source = Array.isArray(cell.source)
      ? cell.source.join('')
      : cell.source;
    if (cell.cell_type === 'markdown') {
      return [renderData(rendermime, 'text/markdown', source)];
    }
    const code = renderData(
      rendermime,
      'text/markdown',
      fenced(source, language)
    );
    code.addClass('jp-Mlops-code');
    const outputs = Array.isArray(cell.outputs)
      ? (cell.outputs as IOutput[])
      : [];
    return [
      ...(source.trim() === '' ? [] : [code]),
      ...outputs.flatMap(output => renderOutput(rendermime, output) ?? [])
    ];
  });
  return notebook.cells.length > CELLS
    ? [...cells, note(trans.__('The first %1 cells are shown.', CELLS))]
    : cells;
}

/** The first rows; what stands in them is text. */
function tableWidgets(
  text: string,
  delimiter: string,
  isCut: boolean,
  trans: TranslationBundle
): readonly Widget[] {
  const { head, rows, hasMore } = readTable(text, delimiter, ROWS, isCut);
  const table = document.createElement('table');
  const header = table.createTHead().insertRow();
  head.forEach((name, column) => {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = name;
    cell.dataset.number = String(isNumber(rows[0]?.[column] ?? ''));
    header.append(cell);
  });
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const value of row) {
      const cell = line.insertCell();
      cell.textContent = value;
      cell.dataset.number = String(isNumber(value));
    }
  }
  const node = document.createElement('div');
  node.className = 'jp-Mlops-dataTable';
  node.append(table);
  const shown = [new Widget({ node })];
  if (hasMore) {
    shown.push(note(trans.__('The first %1 rows are shown.', rows.length)));
  }
  return shown;
}

function isNumber(value: string): boolean {
  return value !== '' && Number.isFinite(+value);
}

/** What is said below a file of which only a part is shown. */
function note(text: string): Widget {
  const widget = new Widget();
  widget.addClass('jp-Mlops-empty');
  widget.node.textContent = text;
  return widget;
}
