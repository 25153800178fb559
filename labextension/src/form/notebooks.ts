/** Reading and writing notebooks as the user sees them, open or not. */
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { NotebookPanel } from '@jupyterlab/notebook';

/** The tag of a parameters cell, papermill's. */
const PARAMETERS = 'parameters';

/** The tag of cells that are executed once for all runs. */
const SHARED = 'shared';

/** A code cell as it is known to stand in a notebook; `cell` counts code cells from 1. */
export interface IKnownCell {
  readonly cell: number;
  readonly source: string;
}

export class Notebooks {
  constructor(private readonly documents: IDocumentManager) {}

  /** Save a notebook that is open and has changes. */
  async save(path: string): Promise<void> {
    const context = this._open(path)?.context;
    if (context?.model.dirty) {
      await context.save();
    }
  }

  /** Whether a notebook is open. */
  isOpen(path: string): boolean {
    return this._open(path) !== undefined;
  }

  /**
   * Tag cells of an open notebook as shared, without saving it. Returns false, and changes
   * nothing, if it is not open or its cells are no longer as they were.
   */
  share(path: string, cells: readonly IKnownCell[]): boolean {
    const model = this._open(path)?.content.model;
    const code = [...(model?.cells ?? [])].filter(each => each.type === 'code');
    const found = cells.map(({ cell, source }) => {
      const each = code[cell - 1];
      return each?.sharedModel.getSource() === source ? each : null;
    });
    if (!model || found.includes(null)) {
      return false;
    }
    found.forEach(each => {
      each?.setMetadata('tags', withTag(each.getMetadata('tags'), SHARED));
    });
    return true;
  }

  /** Tag a cell, counted from 0, as the one of parameters and save the notebook. */
  async mark(path: string, cell: number): Promise<void> {
    const open = this._open(path);
    if (open) {
      const model = open.content.model?.cells.get(cell);
      model?.setMetadata(
        'tags',
        withTag(model.getMetadata('tags'), PARAMETERS)
      );
      await open.context.save();
      return;
    }
    const { contents } = this.documents.services;
    const file = await contents.get(path, { type: 'notebook', content: true });
    const content = file.content as INotebookContent;
    const metadata = content.cells[cell]?.metadata;
    if (metadata) {
      metadata.tags = withTag(metadata.tags, PARAMETERS);
    }
    await contents.save(path, { type: 'notebook', format: 'json', content });
  }

  /** Show a notebook. */
  open(path: string): void {
    this.documents.openOrReveal(path);
  }

  /** Show what a run has written; `atError` goes to the first cell that failed. */
  async openOutput(path: string, atError: boolean): Promise<void> {
    const widget = this.documents.openOrReveal(path);
    const panel = widget as NotebookPanel | undefined;
    if (!panel || !atError) {
      return;
    }
    await panel.revealed;
    const notebook = panel.content;
    const index = notebook.widgets.findIndex(each =>
      hasError(each.model.toJSON())
    );
    const cell = notebook.widgets[index];
    if (cell) {
      notebook.activeCellIndex = index;
      await notebook.scrollToCell(cell, 'center');
    }
  }

  private _open(path: string): NotebookPanel | undefined {
    return this.documents.findWidget(path, null) as NotebookPanel | undefined;
  }
}

function withTag(tags: unknown, tag: string): string[] {
  const before = Array.isArray(tags) ? tags.map(String) : [];
  return [...before.filter(each => each !== tag), tag];
}

function hasError(cell: object): boolean {
  const { outputs } = cell as { outputs?: { output_type?: string }[] };
  return outputs?.some(output => output.output_type === 'error') ?? false;
}
