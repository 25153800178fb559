import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { anAttempt, aRun, aSweep } from '../../__tests__/samples';
import { askedText, contextFacts, usedText } from '../facts';

const trans = nullTranslator.load('jupyter_mlops');

describe('resources', () => {
  it('that were asked for', () => {
    expect(askedText(aSweep(), trans)).toBe('1 core');
    const sweep = aSweep({ cpus: 2, memory: 2e9, gpus: 1 });
    expect(askedText(sweep, trans)).toBe('2 cores, 2.00 GB of memory, 1 GPU');
  });

  it('that were used, as far as that is known', () => {
    const attempt = anAttempt({ cpu_time: 3, duration: 4, peak_memory: 310e6 });
    expect(usedText(attempt, trans)).toBe(
      '3.0 s of CPU time (0.8 cores on average), 310 MB of memory at most'
    );
    expect(usedText(anAttempt(), trans)).toBe('');
  });
});

describe('the context', () => {
  it('lists every attempt of several, and what was noted of code and environment', () => {
    const facts = contextFacts(
      {
        run: aRun(),
        sweep: aSweep(),
        attempts: [
          anAttempt({ status: 'failed', error: 'ValueError: no' }),
          anAttempt({ number: 2, resumed_at: 5, start: 'cold (CUDA)' })
        ],
        notebook_hash: 'abc',
        context: {
          python: '3.11.7',
          git: { commit: '4e1a2f', dirty: true },
          shared: [2, 3],
          mlflow: { parameters: false },
          nothing: null
        }
      },
      trans
    );
    const texts = Object.fromEntries(facts.map(each => [each.name, each.text]));
    expect(texts).toMatchObject({
      Kernel: 'cold (CUDA)',
      'Attempt 1': 'failed · warm · ValueError: no',
      'Attempt 2': 'running · from cell 5 on · cold (CUDA)',
      Git: 'commit: 4e1a2f, dirty: yes',
      Shared: '2, 3'
    });
    expect(texts).not.toHaveProperty('Nothing');
    expect(texts).not.toHaveProperty('Mlflow');
    expect(texts).not.toHaveProperty('Not recorded yet');
  });

  it('tells what the tracking server lacks, and what it does not keep', () => {
    const facts = contextFacts(
      {
        run: aRun({ unsynced: true }),
        sweep: aSweep(),
        attempts: [
          anAttempt({ notes: ['text was cut.', 'a|b is a_b there.'] })
        ],
        notebook_hash: 'abc',
        context: {}
      },
      trans
    );
    expect(facts).toContainEqual({
      name: 'Not recorded yet',
      text: 'it waits here until the tracking server answers'
    });
    expect(facts).toContainEqual({
      name: 'Notes',
      text: 'text was cut. a|b is a_b there.'
    });
  });
});
