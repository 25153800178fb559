import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aCatalog, aFeature, serveMany } from '../../__tests__/features';
import { aStatus, PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { someStores } from '../../__tests__/stores';
import { ProjectsModel } from '../../projects/model';
import type { Stores } from '../../projects/stores';
import { FeaturesModel } from '../model';
import { FeaturesView } from '../view';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

describe('the section of features', () => {
  let server: FakeServer;
  let stores: Stores;
  let projects: ProjectsModel;
  let model: FeaturesModel;
  let node: HTMLElement;
  let root: Root;
  const handlers = { open: vi.fn(), point: vi.fn(), select: vi.fn() };
  const onCreate = vi.fn();
  const onOpenModule = vi.fn();

  /** Show what the server answers. */
  const show = async (): Promise<void> => {
    await projects.follow('flights/train.ipynb', false);
    await projects.want(true);
    model.want(true);
    await vi.waitFor(() => {
      expect(model.search?.view).toBeTruthy();
      expect(model.search?.view?.features.length).not.toBe(1);
    });
    act(() => {
      root.render(
        <FeaturesView
          features={model}
          trans={nullTranslator.load('')}
          handlers={handlers}
          onCreate={onCreate}
          onOpenModule={onOpenModule}
        />
      );
    });
  };
  const rows = (): readonly HTMLElement[] => [
    ...node.querySelectorAll<HTMLElement>('[role="treeitem"]')
  ];
  const type = async (text: string): Promise<void> => {
    await act(async () => {
      if (model.search) {
        model.search.text = text;
      }
      await vi.waitFor(() => {
        expect(model.search?.answeredText).toBe(text);
      });
    });
  };

  beforeEach(() => {
    vi.clearAllMocks();
    server = new FakeServer()
      .on('GET /project', PROJECT)
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', []);
    stores = someStores(server);
    projects = new ProjectsModel(server.client, stores);
    model = new FeaturesModel(projects, server.files);
    node = document.body.appendChild(document.createElement('div'));
    root = createRoot(node);
  });
  afterEach(() => {
    act(() => {
      root.unmount();
    });
    node.remove();
    model.dispose();
    projects.dispose();
    stores.dispose();
  });

  it('tells the state by shape and word, why, what it is and whose', async () => {
    server.on(
      'GET /features',
      aCatalog({
        features: [
          aFeature(),
          aFeature({ name: 'flights.b', state: 'code', owner: null }),
          aFeature({ name: 'flights.c', state: 'new', summary: '' }),
          aFeature({ name: 'flights.d', state: null, on_demand: true })
        ]
      })
    );
    await show();
    expect(
      rows().map(row => [
        row.dataset.state,
        row.querySelector('[role="img"]')?.ariaLabel,
        row.textContent
      ])
    ).toEqual([
      [
        'fresh',
        'fresh',
        'flights.delayadafresh · Mean delay of a carrier on the day before.'
      ],
      [
        'stale',
        'stale',
        'flights.bstale: its code was changed · Mean delay of a carrier on the day before.'
      ],
      ['never', 'never computed', 'flights.cadanever computed'],
      [
        'demand',
        'on demand',
        'flights.dadaon demand · Mean delay of a carrier on the day before.'
      ]
    ]);
    act(() => rows()[1]?.click());
    expect(handlers.open).toHaveBeenCalledWith(
      expect.objectContaining({ kind: 'feature' })
    );
  });

  it('is as small for 5,000 features as for 50, also while one types', async () => {
    serveMany(server, 50);
    await show();
    const few = rows().length;
    serveMany(server, 5000);
    await act(() => model.refresh());
    expect(rows()).toHaveLength(few);
    expect(few).toBeLessThan(40);
    await type('f00');
    expect(rows()).toHaveLength(few);
    expect(node.querySelector('.jp-Mlops-found')?.textContent).toBe(
      '100 of 5000'
    );
    await type('f0042');
    expect(rows().map(row => row.dataset.feature)).toEqual(['many.f0042']);
    await type('nothing');
    expect(node.textContent).toContain('No feature matches “nothing”.');
    expect(node.querySelector('input')).not.toBeNull();
  });

  it('lists what is wrong first, and leads to it', async () => {
    const problems = Array.from({ length: 7 }, (_, at) => ({
      where: `flights.f${at}`,
      path: 'features/flights.py',
      line: `flights.f${at}: there is a cycle`
    }));
    server.on('GET /features', aCatalog({ features: [], problems }));
    await show();
    const listed = node.querySelectorAll('.jp-Mlops-featureProblems li');
    expect(listed).toHaveLength(5);
    expect(listed[0]?.textContent).toBe('flights.f0 there is a cycle');
    act(() => listed[0]?.querySelector('button')?.click());
    expect(onOpenModule).toHaveBeenCalledWith('features/flights.py');
    const more = [...node.querySelectorAll('button')].find(button =>
      button.textContent.includes('2 more')
    );
    act(() => more?.click());
    expect(node.querySelectorAll('.jp-Mlops-featureProblems li')).toHaveLength(
      7
    );
  });

  it('says what to do if there are none', async () => {
    server.on('GET /features', aCatalog({ features: [] }));
    await show();
    expect(node.textContent).toContain('No features yet.');
    act(() => node.querySelector<HTMLElement>('button')?.click());
    expect(onCreate).toHaveBeenCalledOnce();
  });

  it('shows the end of a page that is not there yet as such', async () => {
    serveMany(server, 500);
    await show();
    await act(async () => {
      rows()[0]?.focus();
      rows()[0]?.dispatchEvent(
        new KeyboardEvent('keydown', { key: 'End', bubbles: true })
      );
      await Promise.resolve();
    });
    expect(document.activeElement?.textContent).toBe('Loading…');
  });
});
