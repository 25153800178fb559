import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import type { PartView } from '../../api/types';
import { summary } from '../words';

const trans = nullTranslator.load('');

function said(name: PartView['name'], facts: PartView['facts']): string {
  return summary({ name, status: 'present', line: null, facts }, trans);
}

describe('the summary of a part', () => {
  it('names what is most telling', () => {
    expect(
      said('definition', {
        class: 'sklearn.linear_model.LogisticRegression',
        hyperparameters: { C: 0.5, penalty: 'l2' },
        parameter_count: 3
      })
    ).toBe('LogisticRegression · C 0.5 · 3 weights');
    expect(said('parameters', { files: [{}, {}], size: 1_234_567 })).toBe(
      '2 files · 1.23 MB'
    );
    expect(
      said('dependencies', { python: '3.12.1', packages: { numpy: '2.0' } })
    ).toBe('Python 3.12.1 · 1 package');
    expect(
      said('data', {
        files: [{ path: 'data/a.csv' }],
        splits: { train: { rows: 120_000 }, valid: {} }
      })
    ).toBe('data/a.csv · train 120,000 rows · valid');
    expect(
      said('generation', {
        notebook: 'notebooks/train.ipynb',
        git: { commit: '4e1a2f0123', dirty: true },
        sweep: { runs: 48, space: { depth: '3..9' } }
      })
    ).toBe(
      'train.ipynb @ 4e1a2f0 (with changes) · one of 48 runs · depth 3..9'
    );
    expect(
      said('artifacts', {
        metrics: { auc: 0.73111, loss: { $float: 'nan' } },
        plots: ['roc.png'],
        notebook: 'runs/a.ipynb'
      })
    ).toBe('auc 0.7311 · loss NaN · 1 plot · output notebook');
    expect(said('tags', { owner: 'ada', task: 'delays' })).toBe(
      'owner ada · task delays'
    );
  });

  it('says nothing of what is not known, whatever it is', () => {
    expect(said('definition', {})).toBe('');
    expect(said('functions', { featurize: null, predict: 'x' })).toBe('');
    expect(said('generation', { git: null, sweep: 3 })).toBe('');
    expect(said('data', { files: 'x', splits: null })).toBe('');
  });
});
