import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { aCatalog, aFeature, serveMany } from '../../__tests__/features';
import { FakeServer } from '../../__tests__/server';
import type { FeatureView } from '../../api/types';
import { Chooser } from '../chooser';
import { ChooserModel } from '../choosing';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

describe('choosing a feature', () => {
  let server: FakeServer;
  let model: ChooserModel;

  const open = async (
    isPossible: (feature: FeatureView) => boolean = () => true
  ): Promise<void> => {
    model = new ChooserModel(
      query => server.client.features.list('flights', query),
      'Compute',
      isPossible
    );
    await vi.waitFor(() => {
      expect(model.search.view).not.toBeNull();
    });
  };

  beforeEach(() => {
    server = new FakeServer();
    serveMany(server, 500);
  });
  afterEach(() => {
    model.dispose();
  });

  it('lists the first, takes the first, and says how many more there are', async () => {
    await open();
    expect(model.listed).toHaveLength(50);
    expect(model.more).toBe(450);
    expect(model.chosen?.name).toBe('many.f0000');
    model.move(-1);
    expect(model.chosen?.name).toBe('many.f0000');
    model.move(2);
    expect((await model.submit())?.name).toBe('many.f0002');
    model.move(100);
    expect(model.chosen?.name).toBe('many.f0049');
  });

  it('takes nothing that was found for other words', async () => {
    await open();
    model.search.text = 'f0333';
    expect(model.canSubmit).toBe(false);
    await vi.waitFor(() => {
      expect(model.canSubmit).toBe(true);
    });
    expect(model.chosen?.name).toBe('many.f0333');
  });

  it('lists only those with which it can be done', async () => {
    server.on(
      'GET /features',
      aCatalog({
        features: [
          aFeature({ on_demand: true }),
          aFeature({ name: 'flights.other' })
        ]
      })
    );
    await open(feature => !feature.on_demand);
    expect(model.listed.map(({ name }) => name)).toEqual(['flights.other']);
  });

  it('is walked through by keyboard while the focus is in the field', async () => {
    await open();
    const node = document.body.appendChild(document.createElement('div'));
    const root = createRoot(node);
    const onTake = vi.fn();
    const trans = nullTranslator.load('');
    act(() => {
      root.render(<Chooser model={model} trans={trans} onTake={onTake} />);
    });
    const field = node.querySelector('input');
    const options = node.querySelectorAll('[role="option"]');
    const selected = (): string | undefined =>
      node.querySelector<HTMLElement>('[aria-selected="true"]')?.dataset
        .feature;
    expect(options).toHaveLength(50);
    expect(node.textContent).toContain('450 more: type what you look for.');
    act(() => {
      const event = { key: 'ArrowDown', bubbles: true, cancelable: true };
      field?.dispatchEvent(new KeyboardEvent('keydown', event));
    });
    expect(selected()).toBe('many.f0001');
    expect(field?.getAttribute('aria-activedescendant')).toBe(options[1]?.id);
    act(() => {
      options[3]?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    });
    expect(selected()).toBe('many.f0003');
    act(() => {
      options[3]?.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
    });
    expect(onTake).toHaveBeenCalledOnce();
    act(() => {
      root.unmount();
    });
  });
});
