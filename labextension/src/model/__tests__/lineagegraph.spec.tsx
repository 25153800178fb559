import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it, vi } from 'vitest';

import type { LineageView } from '../../api/types';
import { LineageGraph } from '../lineagegraph';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const LINEAGE: LineageView = {
  nodes: [
    { id: 'feature:a.b', kind: 'feature', name: 'a.b', about: null },
    { id: 'feature:column', kind: 'feature', name: 'column', about: null },
    { id: 'version:m/1', kind: 'version', name: 'm/1', about: '@champion' }
  ],
  edges: [
    ['feature:a.b', 'version:m/1'],
    ['feature:column', 'version:m/1']
  ]
};

describe('the graph of a lineage', () => {
  it('opens the nodes that have something to open, and those alone', async () => {
    const node = document.body.appendChild(document.createElement('div'));
    const root = createRoot(node);
    const onOpen = vi.fn();
    const nodeOf = (key: string): Element | null =>
      node.querySelector(`[data-key="${key}"]`);
    const use = (key: string): void => {
      const event = { key: 'Enter', bubbles: true, cancelable: true };
      act(() => {
        nodeOf(key)?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
        nodeOf(key)?.dispatchEvent(new KeyboardEvent('keydown', event));
      });
    };
    act(() => {
      root.render(
        <LineageGraph
          lineage={LINEAGE}
          own="version:m/1"
          trans={nullTranslator.load('')}
          measure={text => text.length}
          canOpen={(_, name) => name !== 'column'}
          onOpen={onOpen}
        />
      );
    });
    // The layout is loaded when it is needed.
    await act(async () => {
      await vi.dynamicImportSettled();
      await Promise.resolve();
    });
    expect(
      LINEAGE.nodes.map(({ id }) => nodeOf(id)?.getAttribute('aria-disabled'))
    ).toEqual(['false', 'true', 'false']);
    expect(nodeOf('version:m/1')?.textContent).toContain(
      'model version · @champion'
    );
    use('feature:column');
    expect(onOpen).not.toHaveBeenCalled();
    use('feature:a.b');
    expect(onOpen.mock.calls).toEqual([
      ['feature', 'a.b'],
      ['feature', 'a.b']
    ]);
    act(() => {
      root.unmount();
    });
    node.remove();
  });
});
