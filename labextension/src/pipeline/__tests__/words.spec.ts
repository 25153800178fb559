import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import { PROJECT } from '../../__tests__/samples';
import { FakeServer } from '../../__tests__/server';
import {
  aPipeline,
  aPipelineRun,
  aStage,
  someStages
} from '../../__tests__/stages';
import type { PipelineRunDetail, PipelineView } from '../../api/types';
import { PipelineStore } from '../../projects/pipeline';
import {
  overallState,
  reasonText,
  stageLabel,
  statesText,
  timeText,
  truthOf
} from '../words';

const trans = nullTranslator.load('jupyter_mlops');
const NOW = Date.parse('2026-03-01T12:01:00Z');

describe('words of stages', () => {
  it('says why a stage will run, its own reasons first', () => {
    const [, a] = someStages();
    const upstream = { kind: 'upstream', what: 'x', change: '' } as const;
    const causes = [{ ...upstream, text: 'upstream: x' }, ...(a?.causes ?? [])];
    expect(reasonText(aStage({ state: 'stale', causes }), trans)).toBe(
      'params.yaml: depth modified · upstream: x'
    );
  });

  it('says what matters in each state', () => {
    const failed = aStage({ state: 'failed', error: 'a\nValueError: bad' });
    expect(reasonText(failed, trans)).toBe('ValueError: bad');
    const running = aStage({ state: 'running', cell: 3, cells: 7 });
    expect(reasonText(running, trans)).toBe('cell 3/7');
    const cached = aStage({ state: 'succeeded', cached: true });
    expect(reasonText(cached, trans)).toBe('from the run cache');
    expect(reasonText(aStage(), trans)).toBe('');
  });

  it('tells how long it took, and how long it has been running', () => {
    expect(timeText(aStage(), NOW, trans)).toBe('4.2 s');
    expect(timeText(aStage({ state: 'running' }), NOW, trans)).toBe('1 min');
    expect(timeText(aStage({ duration: null }), NOW, trans)).toBe('');
  });

  it('reads a stage out with all that its row shows', () => {
    const [, , , compare] = someStages();
    expect(stageLabel(compare ?? aStage(), trans)).toBe(
      'compare, stale, upstream: train@a, 4.2 s, after train@a, train@b'
    );
  });

  it('puts what needs attention first', () => {
    expect(statesText(someStages(), trans)).toBe('2 stale, 2 up to date');
    expect(overallState(someStages())).toBe('stale');
    expect(overallState([])).toBe('fresh');
  });
});

describe('truthOf', () => {
  const truth = async (
    view: PipelineView,
    detail?: PipelineRunDetail
  ): Promise<unknown> => {
    const { client, files } = new FakeServer()
      .on('GET /pipeline', view)
      .on('GET /pipeline/runs/p1', detail);
    const store = new PipelineStore({ project: PROJECT, client, files });
    const watch = store.watch();
    await vi.waitFor(() => {
      expect(store.isLoaded).toBe(true);
    });
    const found = truthOf(store, NOW, trans);
    watch.dispose();
    store.dispose();
    return found;
  };

  it('says what will run', async () => {
    expect(await truth(aPipeline())).toEqual({
      state: 'stale',
      text: '2 of 4 stages will run'
    });
  });

  it('says how far it is', async () => {
    const run = aPipelineRun();
    const stages = [
      aStage({ state: 'succeeded' }),
      aStage({ name: 'b', state: 'failed' }),
      aStage({ name: 'c', state: 'running' }),
      aStage({ name: 'd', state: 'queued' })
    ];
    expect(
      await truth(aPipeline({ stages, last: run }), { run, stages })
    ).toEqual({ state: 'running', text: '2 of 4 stages done · 1 failed' });
  });

  it('says what failed and when, and what is up to date', async () => {
    const last = aPipelineRun({
      status: 'failed',
      finished_at: '2026-03-01T12:00:30Z'
    });
    const stages = [aStage({ state: 'failed' }), aStage({ name: 'b' })];
    expect(await truth(aPipeline({ stages, last }))).toEqual({
      state: 'failed',
      text: '1 failed · 30 s ago'
    });
    expect(await truth(aPipeline({ stages: [aStage()] }))).toEqual({
      state: 'fresh',
      text: '1 stage up to date'
    });
  });
});
