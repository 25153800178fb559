import { nullTranslator } from '@jupyterlab/translation';
import { act, Profiler } from 'react';
import type { Root } from 'react-dom/client';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { anEvent, aStatus } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aPipeline, aPipelineRun, manyStages } from '../../__tests__/stages';
import { aStore } from '../../__tests__/stores';
import type { ProjectStore } from '../../projects/store';
import type { Target } from '../../targets';
import { Dag } from '../dag';
import { NO_STATE } from '../state';
import { PipelineTabModel } from '../tabmodel';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const COUNT = 200;

describe('Dag', () => {
  let host: HTMLElement;
  let root: Root;
  let server: FakeServer;
  let store: ProjectStore;
  let model: PipelineTabModel;
  let selected: Target | null;
  let pointed: Target | null;

  const node = (key: string): SVGElement => {
    const found = host.querySelector<SVGElement>(`[data-key="${key}"]`);
    if (!found) {
      throw new Error(`There is no node ${key}.`);
    }
    return found;
  };
  const press = (key: string, more: KeyboardEventInit = {}): void => {
    act(() => {
      document.activeElement?.dispatchEvent(
        new KeyboardEvent('keydown', {
          key,
          bubbles: true,
          cancelable: true,
          ...more
        })
      );
    });
  };
  const focused = (): string | undefined =>
    (document.activeElement as SVGElement | null)?.dataset.key;

  beforeEach(async () => {
    selected = pointed = null;
    const stages = manyStages(COUNT);
    const run = aPipelineRun({ total: COUNT });
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /events', [])
      .on('GET /pipeline', aPipeline({ stages, last: run }))
      .on('GET /pipeline/runs/p1', { run, stages })
      .on('GET /pipeline/stage', new Promise(() => undefined));
    store = aStore(server, { isWanted: () => false });
    model = new PipelineTabModel({
      lease: { store, isDisposed: false, dispose: () => undefined },
      state: NO_STATE,
      measure: text => text.length * 7,
      isShown: () => true
    });
    await vi.waitFor(
      () => {
        expect(Object.keys(model.layout?.nodes ?? {})).toHaveLength(COUNT);
      },
      { timeout: 10_000 }
    );
    host = document.body.appendChild(document.createElement('div'));
    root = createRoot(host);
    act(() => {
      root.render(
        <Dag
          model={model}
          trans={nullTranslator.load('jupyter_mlops')}
          handlers={{
            select: target => (selected = target),
            point: target => (pointed = target)
          }}
        />
      );
    });
  }, 20_000);
  afterEach(() => {
    act(() => root.unmount());
    host.remove();
    model.dispose();
    store.dispose();
  });

  it('draws every stage and every edge', () => {
    expect(host.querySelectorAll('.jp-Mlops-node')).toHaveLength(COUNT);
    expect(host.querySelectorAll('.jp-Mlops-edges path')).toHaveLength(
      model.diagram.shape.edges.length
    );
    expect(node('stage1').getAttribute('aria-label')).toBe(
      'stage1, up to date, 4.2 s, after stage0'
    );
  });

  it('touches only the nodes of which an event tells', async () => {
    const touched = new Set<string>();
    const observer = new MutationObserver(records => {
      records.forEach(({ target }) => {
        const element =
          target instanceof Element ? target : target.parentElement;
        const found = element?.closest<SVGElement>('.jp-Mlops-node');
        touched.add(found?.dataset.key ?? element?.nodeName ?? '');
      });
    });
    observer.observe(host, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true
    });
    server.on('GET /pipeline/runs/p1', new Promise(() => undefined));
    const data = {
      pipeline: 'p1',
      stages: { stage7: 'running', stage9: 'failed' }
    };
    await act(async () => {
      store.pipeline.add([anEvent({ kind: 'pipeline', data })]);
      await new Promise<void>(resolve => {
        store.pipeline.changed.connect(() => resolve());
      });
    });
    observer.disconnect();
    expect(node('stage7').dataset.status).toBe('running');
    expect([...touched].sort()).toEqual(['stage7', 'stage9']);
  });

  it('renders nothing when it is moved and zoomed', () => {
    const rendered = vi.fn();
    act(() => {
      root.render(
        <Profiler id="dag" onRender={rendered}>
          <Dag
            model={model}
            trans={nullTranslator.load('jupyter_mlops')}
            handlers={{ select: () => undefined, point: () => undefined }}
          />
        </Profiler>
      );
    });
    rendered.mockClear();
    act(() => {
      model.viewport.pan(10, 10);
      model.viewport.zoomBy(2);
    });
    expect(rendered).not.toHaveBeenCalled();
    const drawing = host.querySelector('svg > g');
    expect(drawing?.getAttribute('transform')).toContain('scale(2.0000)');
  });

  it('is reached by Tab at one node, and walked through from there', () => {
    const reachable = [...host.querySelectorAll<SVGElement>('[tabindex="0"]')];
    expect(reachable.map(each => each.dataset.key)).toEqual(['stage0']);
    act(() => node('stage0').focus());
    press('ArrowRight');
    const next = focused() ?? '';
    expect(model.pipeline.graph.downstream('stage0')).toContain(next);
    expect(selected).toMatchObject({ kind: 'stage', name: next });
    press('ArrowLeft');
    expect(focused()).toBe('stage0');
    press('ArrowLeft');
    expect(focused()).toBe('stage0');
  });

  it('opens by Enter, closes by Escape, and shows the menu by Shift+F10', () => {
    const menus: (EventTarget | null)[] = [];
    const listen = (event: MouseEvent): void => {
      menus.push(event.target);
    };
    document.addEventListener('contextmenu', listen);
    act(() => node('stage3').focus());
    press('Enter');
    expect(model.selected).toBe('stage3');
    expect(node('stage3').getAttribute('aria-pressed')).toBe('true');
    press('F10', { shiftKey: true });
    expect(menus).toEqual([node('stage3')]);
    expect(pointed).toMatchObject({ kind: 'stage', name: 'stage3' });
    press('Escape');
    expect(model.selected).toBeNull();
    document.removeEventListener('contextmenu', listen);
  });

  it('zooms by keys, and fits by Home', () => {
    act(() => node('stage3').focus());
    const { scale } = model.viewport.zoom;
    press('+');
    expect(model.viewport.zoom.scale).toBeGreaterThan(scale);
    press('-');
    press('-');
    expect(model.viewport.zoom.scale).toBeLessThan(scale);
    const fit = vi.spyOn(model.viewport, 'fit');
    press('Home');
    expect(fit).toHaveBeenCalledWith(true);
  });

  it('zooms by the wheel with Ctrl, and moves by the wheel alone', () => {
    const ground = host.querySelector('.jp-Mlops-dagWindow');
    const before = model.viewport.zoom;
    ground?.dispatchEvent(new WheelEvent('wheel', { deltaY: 50, deltaX: 0 }));
    expect(model.viewport.zoom).toEqual({ ...before, y: before.y - 50 });
    ground?.dispatchEvent(
      new WheelEvent('wheel', { deltaY: -50, ctrlKey: true })
    );
    expect(model.viewport.zoom.scale).toBeGreaterThan(before.scale);
  });

  it('says in full what the pointer is at', () => {
    act(() => model.point('stage1'));
    const line = host.querySelector('.jp-Mlops-pointed');
    expect(line?.textContent).toBe('stage1, up to date, 4.2 s, after stage0');
    const edges = host.querySelectorAll('.jp-mod-pointed path');
    expect(edges.length).toBe(
      model.diagram.shape.edges.filter(edge => edge.includes('stage1')).length
    );
  });
});
