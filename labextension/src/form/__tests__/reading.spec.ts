import { describe, expect, it } from 'vitest';

import { isChosen, splitList, toggleChoice } from '../choices';
import type { IOptions } from '../options';
import {
  DEFAULT_OPTIONS,
  freeParameters,
  optionErrors,
  toSpaceRequest,
  toSubmitRequest
} from '../options';
import { parseBytes, parseCount, parseSeconds } from '../units';

describe('units', () => {
  it.each([
    ['2GB', 2e9],
    ['512 MiB', 536870912],
    ['1.5 g', 1.5e9],
    ['100', 100],
    ['0', null],
    ['-1GB', null],
    ['2 parsecs', null],
    ['', null]
  ])('reads the size %j as %s', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each([
    ['90', 90],
    ['90 s', 90],
    ['10 min', 600],
    ['1.5h', 5400],
    ['0', null],
    ['soon', null]
  ])('reads the time %j as %s', (text, seconds) => {
    expect(parseSeconds(text)).toBe(seconds);
  });

  it.each([
    ['3', 1, 3],
    [' 0 ', 0, 0],
    ['0', 1, null],
    ['1.5', 0, null],
    ['1e3', 0, null],
    ['-4', Number.MIN_SAFE_INTEGER, -4]
  ])('reads the count %j from %d on as %s', (text, least, count) => {
    expect(parseCount(text, least)).toBe(count);
  });
});

describe('choices', () => {
  it('splits a list but not what belongs together', () => {
    expect(splitList('rf, "a, b" , log(1, 2, 3), [1, 2]')).toEqual([
      'rf',
      '"a, b"',
      'log(1, 2, 3)',
      '[1, 2]'
    ]);
    expect(splitList('"a\\", b", c')).toEqual(['"a\\", b"', 'c']);
    expect(splitList('')).toEqual([]);
  });

  it('adds and removes values, in the order of the choices', () => {
    const choices = ['rf', 'gbm', 'svm'];
    expect(toggleChoice('svm', 'rf', choices)).toBe('rf, svm');
    expect(toggleChoice('rf, svm', 'rf', choices)).toBe('svm');
    expect(toggleChoice('svm', 'svm', choices)).toBe('');
    expect(toggleChoice('own, svm', 'gbm', choices)).toBe('gbm, svm, own');
    expect(isChosen('rf, svm', 'svm')).toBe(true);
    expect(isChosen('rf, svm', 'sv')).toBe(false);
  });
});

describe('options', () => {
  const options = (given: Partial<IOptions>): IOptions => ({
    ...DEFAULT_OPTIONS,
    ...given
  });

  it('sends nothing for what was left empty', () => {
    expect(toSubmitRequest('a.ipynb', {}, DEFAULT_OPTIONS)).toEqual({
      notebook: 'a.ipynb',
      space: {},
      mode: 'grid',
      sampler: null,
      trials: null,
      samples: null,
      seed: null,
      allow_undeclared: false,
      cpus: null,
      memory: null,
      executor: null,
      gpus: 0,
      metric: null,
      maximize: null,
      prune: null,
      experiment: null,
      timeout: null,
      retries: null,
      priority: 0
    });
  });

  it('sends what was typed in the units of the contract', () => {
    const typed = options({
      mode: 'random',
      samples: '8',
      seed: '1',
      metric: ' loss ',
      direction: 'lowest',
      cpus: '2',
      memory: '2 GB',
      timeout: '10 min',
      retries: '1',
      priority: '-3'
    });
    expect(toSubmitRequest('a.ipynb', { d: '3' }, typed)).toMatchObject({
      mode: 'random',
      samples: 8,
      seed: 1,
      metric: 'loss',
      maximize: false,
      cpus: 2,
      memory: 2e9,
      timeout: 600,
      retries: 1,
      priority: -3
    });
  });

  it('leaves the choice of the points to a sampler', () => {
    const typed = options({
      mode: 'random',
      sampler: 'tpe',
      trials: '30',
      prune: 'asha',
      metric: 'loss'
    });
    expect(toSubmitRequest('a.ipynb', {}, typed)).toMatchObject({
      mode: 'grid',
      samples: null,
      sampler: 'tpe',
      trials: 30,
      prune: 'asha'
    });
    const without = options({ sampler: 'random', trials: '' });
    expect([...optionErrors(without)]).toEqual(['trials']);
    expect(optionErrors(options({ trials: 'x' })).size).toBe(0);
  });

  it('tells what each run needs already when the runs are counted', () => {
    const typed = options({ cpus: '64', memory: '2 GB', gpus: '1' });
    expect(toSpaceRequest('a.ipynb', {}, typed)).toMatchObject({
      cpus: 64,
      memory: 2e9,
      gpus: 1
    });
  });

  it('names what cannot be read, samples only where they count', () => {
    const wrong = options({ samples: 'x', memory: 'much', retries: '-1' });
    expect([...optionErrors(wrong)].sort()).toEqual(['memory', 'retries']);
    const random = options({ mode: 'random', samples: '' });
    expect([...optionErrors(random)]).toEqual(['samples']);
  });

  it('reads parameters one a line', () => {
    expect(freeParameters('depth = 3, 5\n\n rate=a=b \nflag')).toEqual({
      depth: '3, 5',
      rate: 'a=b',
      flag: ''
    });
  });
});
