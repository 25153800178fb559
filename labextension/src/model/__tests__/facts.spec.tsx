import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it, vi } from 'vitest';

import { FactList } from '../facts';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

describe('the facts of a part of a card', () => {
  it('lead to files of the project and to features of the catalog', () => {
    const [onOpen, onFeature] = [vi.fn(), vi.fn()];
    const node = document.createElement('div');
    const root = createRoot(node);
    const joined = { feature: 'a.b', version: 'v1', type: 'double' };
    act(() => {
      root.render(
        <FactList
          facts={{
            files: [
              { path: 'x.csv', how: 'read', size: 3 },
              { path: 'model.pkl', size: 5 }
            ],
            features: [{ ...joined, entity: ['carrier'], code_hash: 'c' }],
            other: { feature: 'no link' },
            nothing: []
          }}
          onOpen={onOpen}
          onFeature={onFeature}
        />
      );
    });
    const links = [...node.querySelectorAll('button')];
    expect(links.map(link => link.textContent)).toEqual(['x.csv', 'a.b']);
    act(() => links.forEach(link => link.click()));
    expect(onOpen).toHaveBeenCalledWith('x.csv');
    expect(onFeature).toHaveBeenCalledWith('a.b');
    expect(links[1]?.parentElement?.textContent).toBe('a.b v1 · double');
    expect(
      [...node.querySelectorAll('dl > div > dt')].map(each => each.textContent)
    ).toEqual(['files', 'features', 'other', 'feature']);
    act(() => {
      root.unmount();
    });
  });
});
