import { nullTranslator } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it } from 'vitest';

import { aRun, aSweep } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { RunView } from '../../api/types';
import { RunRow, SweepRow } from '../row';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const trans = nullTranslator.load('');
const ignore = (): void => undefined;
const SHARED = {
  trans,
  now: 0,
  onExpand: ignore,
  handlers: {
    select: ignore,
    point: ignore,
    open: ignore,
    openOutput: ignore,
    remove: ignore
  }
};
const store = aStore(new FakeServer());
const sweep = aSweep();

function draw(element: ReactElement): HTMLElement {
  const host = document.createElement('div');
  act(() => {
    createRoot(host).render(element);
  });
  return host;
}

function drawRun(run: RunView): HTMLElement {
  return draw(
    <RunRow
      {...SHARED}
      row={{
        kind: 'run',
        key: run.id,
        sweep,
        run,
        names: ['depth'],
        hasLegend: false
      }}
      target={{ kind: 'run', store, sweep, run }}
    />
  );
}

describe('a run with other packages than the lock', () => {
  const run = aRun({
    status: 'succeeded',
    environment: 'differs',
    differences: 'requirements.txt: numpy 2.1 instead of 2.0'
  });
  const line =
    'Its packages differ from requirements.txt: numpy 2.1 instead of 2.0.';

  it('is marked by words, which the tooltip and the row’s name explain', () => {
    const host = drawRun(run);
    const mark = host.querySelector<HTMLElement>('.jp-Mlops-lockMark');
    expect(mark?.textContent).toBe('≠ lock');
    expect(mark?.title).toBe(line);
    const row = host.querySelector('[role="treeitem"]');
    expect(row?.getAttribute('aria-label')).toContain(line);
  });

  it('is marked where it is the only run of its row, too', () => {
    const row = {
      kind: 'sweep',
      key: 's1',
      sweep,
      run,
      isExpanded: null
    } as const;
    const target = { kind: 'sweep', store, sweep } as const;
    const host = draw(<SweepRow {...SHARED} row={row} target={target} />);
    expect(host.textContent).toContain('≠ lock');
  });

  it('is told from those that have the same packages, or no lock', () => {
    for (const environment of ['same', null] as const) {
      const host = drawRun({ ...run, environment, differences: null });
      expect(host.textContent).not.toContain('lock');
      const row = host.querySelector('[role="treeitem"]');
      expect(row?.getAttribute('aria-label')).not.toContain('differ');
    }
  });
});
