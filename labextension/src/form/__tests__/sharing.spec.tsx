import type { IDocumentManager } from '@jupyterlab/docmanager';
import { NotebookModel } from '@jupyterlab/notebook';
import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import {
  aSharingCell,
  PROJECT,
  someParameters,
  someSharing
} from '../../__tests__/samples';
import { FakeServer, refusal } from '../../__tests__/server';
import type { SpaceRequest } from '../../api/types';
import { FormModel } from '../model';
import type { IKnownCell } from '../notebooks';
import { Notebooks } from '../notebooks';
import { firstLine, Sharing, worthSharing } from '../sharing';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const trans = nullTranslator.load('jupyter_mlops');
const CELLS = [
  aSharingCell({ cell: 1, state: 'shared' }),
  aSharingCell({ cell: 3, source: '# Load\ndf = load()', seconds: 1.5 }),
  aSharingCell({ cell: 4, state: 'dependent' }),
  aSharingCell({ cell: 5, source: 'x = clean(df)', seconds: 0.2 })
];

/** A server whose sharing saves a second for each run. */
function aServer(): FakeServer {
  return new FakeServer()
    .on('GET /parameters', someParameters())
    .on('POST /preview', ({ body }: { body: SpaceRequest }) => ({
      count: (body.space?.depth ?? '3').split(',').length,
      errors: {},
      seconds: 12
    }))
    .on('POST /explain', ({ body }: { body: SpaceRequest }) =>
      someSharing({
        cells: CELLS,
        saved: (body.space?.depth ?? '3').split(',').length - 1
      })
    );
}

describe('what sharing would save', () => {
  let model: FormModel;

  beforeEach(() => {
    model = new FormModel(aServer().client, PROJECT, 'train.ipynb');
  });
  afterEach(() => {
    model.dispose();
  });

  it('follows the number of runs', async () => {
    await model.load();
    expect(worthSharing(model.sharing)).toEqual([]);
    model.setText('depth', '3,5,7');
    await vi.waitFor(() => {
      expect(model.sharing?.saved).toBe(2);
    });
    const cells = worthSharing(model.sharing).map(({ cell }) => cell);
    expect(cells).toEqual([3, 5]);
  });

  it('stands in nobody’s way if it is not known', async () => {
    const server = aServer().on('POST /explain', refusal(500, 'failed', 'No.'));
    model = new FormModel(server.client, PROJECT, 'train.ipynb');
    await model.load();
    expect(server.count('POST /explain')).toBe(1);
    expect(model.sharing).toBeNull();
    expect(model.errorOf('')).toBeNull();
    expect(model.canSubmit).toBe(true);
  });

  it('is not asked for while the values are wrong', async () => {
    const server = aServer().on('POST /preview', {
      count: null,
      errors: { depth: 'It is no number.' },
      seconds: null
    });
    model = new FormModel(server.client, PROJECT, 'train.ipynb');
    await model.load();
    expect(server.count('POST /explain')).toBe(0);
  });
});

describe('Sharing', () => {
  let host: HTMLElement;
  let root: Root;
  let model: FormModel;
  const onShare = vi.fn<(cells: readonly IKnownCell[]) => boolean>();

  const render = async (
    share: typeof onShare | null,
    depth = '1,2,3,4'
  ): Promise<void> => {
    await model.load();
    model.setText('depth', depth);
    await vi.waitFor(() => {
      expect(model.sharing?.saved).toBe(depth.split(',').length - 1);
    });
    act(() => {
      root.render(<Sharing model={model} trans={trans} onShare={share} />);
    });
  };
  const button = (text: string): HTMLButtonElement => {
    const all = [...host.querySelectorAll('button')];
    const found = all.find(each => each.textContent.includes(text));
    if (!found) {
      throw new Error(`There is no button ${text} in ${host.textContent}.`);
    }
    return found;
  };
  const click = (text: string): void => {
    act(() => {
      button(text).click();
    });
  };

  beforeEach(() => {
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
    model = new FormModel(aServer().client, PROJECT, 'train.ipynb');
    onShare.mockReset();
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    host.remove();
    model.dispose();
  });

  it('says what is saved, and unfolds to the cells', async () => {
    await render(onShare);
    const fold = button('2 cells could be shared: saves about 3 s');
    const list = host.querySelector('ul')?.parentElement;
    expect(fold.getAttribute('aria-expanded')).toBe('false');
    expect(list?.hidden).toBe(true);
    click('2 cells could be shared');
    expect(fold.getAttribute('aria-expanded')).toBe('true');
    expect(list?.hidden).toBe(false);
    const items = [...host.querySelectorAll('li')];
    expect(items.map(each => each.textContent)).toEqual([
      'cell 3df = load()1.5 s',
      'cell 5x = clean(df)0.2 s'
    ]);
  });

  it('tags them and says so', async () => {
    onShare.mockReturnValue(true);
    await render(onShare);
    click('Tag them');
    expect(onShare.mock.calls).toEqual([[[CELLS[1], CELLS[3]]]]);
    expect(host.textContent).toBe(
      '2 cells are tagged shared: they are executed once for all runs.'
    );
  });

  it('offers them again if they could not be tagged', async () => {
    onShare.mockReturnValue(false);
    await render(onShare);
    click('Tag them');
    expect(button('Tag them').disabled).toBe(false);
  });

  it('says why a notebook that is not open cannot be tagged', async () => {
    await render(null);
    const tag = button('Tag them');
    expect(tag.disabled).toBe(true);
    const why = document.getElementById(
      tag.getAttribute('aria-describedby') ?? ''
    );
    expect(why?.textContent).toBe('open the notebook to tag them');
  });

  it('says nothing if nothing is saved', async () => {
    await render(onShare, '3');
    expect(host.textContent).toBe('');
  });
});

describe('Notebooks', () => {
  const open = (...sources: readonly string[]): [Notebooks, NotebookModel] => {
    const model = new NotebookModel();
    model.fromJSON({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {},
      cells: [
        { cell_type: 'markdown', source: '# Title', metadata: {} },
        ...sources.map(source => ({
          cell_type: 'code',
          source,
          metadata: {},
          outputs: [],
          execution_count: null
        }))
      ]
    });
    model.dirty = false;
    const findWidget = (path: string): unknown =>
      path === 'train.ipynb' ? { content: { model } } : undefined;
    return [
      new Notebooks({ findWidget } as unknown as IDocumentManager),
      model
    ];
  };
  const tags = (model: NotebookModel): unknown[] =>
    [...model.cells].map(each => each.getMetadata('tags') as unknown);

  // Whoever makes a notebook's model outside JupyterLab is warned by Yjs.
  beforeEach(() => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => {
    vi.mocked(console.warn).mockClear();
  });

  it('tags code cells, counted from 1, and leaves the notebook to be saved', () => {
    const [notebooks, model] = open('a = 1', 'b = 2');
    model.cells.get(2).setMetadata('tags', ['keep']);
    model.dirty = false;
    expect(notebooks.share('train.ipynb', [{ cell: 2, source: 'b = 2' }])).toBe(
      true
    );
    expect(tags(model)).toEqual([undefined, undefined, ['keep', 'shared']]);
    expect(model.dirty).toBe(true);
    model.dispose();
  });

  it('changes nothing in a notebook that has changed, or is not open', () => {
    const [notebooks, model] = open('a = 1', 'b = 2');
    const cells = [
      { cell: 1, source: 'a = 1' },
      { cell: 2, source: 'b = 3' }
    ];
    expect(notebooks.share('train.ipynb', cells)).toBe(false);
    expect(notebooks.share('train.ipynb', [{ cell: 9, source: '' }])).toBe(
      false
    );
    expect(notebooks.share('other.ipynb', [])).toBe(false);
    expect(tags(model)).toEqual([undefined, undefined, undefined]);
    expect(model.dirty).toBe(false);
    expect(notebooks.isOpen('train.ipynb')).toBe(true);
    expect(notebooks.isOpen('other.ipynb')).toBe(false);
    model.dispose();
  });
});

describe('firstLine', () => {
  it.each([
    ['%%time\n\n# Load\n  df = load()\nx', 'df = load()'],
    ['# nothing', ''],
    ['', '']
  ])('shows of %j %j', (source, line) => {
    expect(firstLine(source)).toBe(line);
  });
});
