import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { aModel, aRun, aStatus, aSweep } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import { aStore } from '../../__tests__/stores';
import type { RunView, SweepView } from '../../api/types';
import type { ProjectStore } from '../../projects/store';
import { runField } from '../best';
import type { IField } from '../fields';
import { registerForm } from '../register';

const trans = nullTranslator.load('');
const REGISTERED = 'POST /models/flights/versions';

function run(index: number, metrics: RunView['metrics']): RunView {
  return aRun({
    id: `s1-${String(index)}`,
    index,
    status: 'succeeded',
    parameters: { depth: index },
    metrics
  });
}

describe('the choice of a run to register', () => {
  let server: FakeServer;
  let store: ProjectStore;

  beforeEach(() => {
    server = new FakeServer()
      .on('GET /status', aStatus())
      .on('GET /sweeps', [])
      .on('GET /models', [])
      .on('GET /runs', [
        run(1, { auc: 0.6, loss: 0.9, seed: 1 }),
        run(2, { auc: 0.8, loss: 0.2, seed: 1 }),
        run(3, { auc: 0.7, loss: { $float: 'nan' } }),
        { ...run(4, { auc: 0.99 }), status: 'failed' }
      ])
      .on(REGISTERED, aModel());
    store = aStore(server);
  });
  afterEach(() => {
    store.dispose();
  });

  function ask(given: Partial<SweepView>): Promise<IField | null> {
    const sweep = aSweep({
      space: { depth: '1..4' },
      best: null,
      metric: null,
      total: 4,
      ...given
    });
    return runField({ kind: 'sweep', store, sweep }, trans);
  }

  it('is not asked for where the sweep has a best run, or one alone', async () => {
    const best = { run_id: 's1-2', parameters: {}, value: 0.8 };
    expect(await ask({ metric: 'auc', best })).toBeNull();
    expect(await ask({ total: 1 })).toBeNull();
    expect(await ask({ kind: 'run' })).toBeNull();
  });

  it('offers what is best by each metric that tells runs apart', async () => {
    const field = await ask({});
    expect(field?.label).toBe(
      'The runs are not ranked by a metric. Choose the best:'
    );
    expect(field?.options).toEqual([
      { value: 's1-2', label: 'highest auc 0.8, lowest loss 0.2 · depth=2' },
      { value: 's1-1', label: 'lowest auc 0.6, highest loss 0.9 · depth=1' }
    ]);
  });

  it('offers all runs where no metric tells them apart', async () => {
    server.on('GET /runs', [run(1, {}), run(2, {})]);
    expect((await ask({}))?.options).toEqual([
      { value: 's1-1', label: 'run 1 · depth=1' },
      { value: 's1-2', label: 'run 2 · depth=2' }
    ]);
    expect((await ask({ metric: 'auc' }))?.label).toContain(
      'No run has logged auc.'
    );
  });

  it('registers the run that was chosen, and none before', async () => {
    const field = await ask({});
    const source = { sweep: 's1' };
    const form = registerForm(store, source, 'flights', trans, field);
    expect(form.canSubmit).toBe(false);
    form.write('run', 's1-1');
    expect(form.canSubmit).toBe(true);
    await form.submit();
    expect(server.last(REGISTERED).body).toEqual({
      run: 's1-1',
      alias: null,
      tags: {}
    });
  });
});
