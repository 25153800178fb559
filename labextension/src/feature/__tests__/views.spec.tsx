import { nullTranslator } from '@jupyterlab/translation';
import type { ReactElement } from 'react';
import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { describe, expect, it, vi } from 'vitest';

import { aDetail, aFeature, someStatistics } from '../../__tests__/features';
import type { SourceView } from '../../api/types';
import { About } from '../about';
import { Findings } from '../findings';
import { Values } from '../values';
import { askWhom, costText, formatMeasure, isReadableFile } from '../words';

// React's `act` wants to know that this is a test.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

const trans = nullTranslator.load('');

/** Render it and leave it as it is. */
function render(element: ReactElement): HTMLElement {
  const node = document.createElement('div');
  const root = createRoot(node);
  act(() => {
    root.render(element);
  });
  return node;
}

function texts(node: HTMLElement, selector: string): readonly string[] {
  return [...node.querySelectorAll(selector)].map(each => each.textContent);
}

describe('what is said of computing a feature', () => {
  const COMPUTATION = {
    version: 'v1',
    why: 'new',
    at: '2026-03-01T12:00:00Z',
    seconds: 12.2,
    peak_memory: 310_000_000,
    rows: 336_776,
    engine: 'pandas',
    first: null,
    last: null,
    partitions: 1,
    size: 1
  } as const;

  it('is as it was measured', () => {
    expect(costText(COMPUTATION, trans)).toBe('12 s, 310 MB for 337k rows');
    expect(
      costText({ ...COMPUTATION, peak_memory: null, rows: 1 }, trans)
    ).toBe('12 s for 1 row');
  });
});

describe('the values of a feature', () => {
  it('are drawn with a text in place of the drawing, and what is missing', () => {
    const detail = aDetail({ statistics: someStatistics() });
    const node = render(<Values detail={detail} trans={trans} />);
    const drawing = node.querySelector('svg[role="img"]');
    expect(drawing?.getAttribute('aria-label')).toBe(
      'Histogram of 11.8k values, from −5 to 35, most of them, 9000, from −5 to 5'
    );
    expect(drawing?.querySelectorAll('rect')).toHaveLength(3);
    expect(texts(node, 'rect title')[1]).toBe('5 to 15: 2,000 values');
    expect(texts(node, '.jp-Mlops-missing')).toEqual([
      '2 % missing: 240 of 12k rows'
    ]);
    expect(texts(node, '.jp-Mlops-numbers > div')).toEqual([
      'rows12k',
      'different900',
      'smallest−5',
      'largest35',
      'mean5',
      'deviation8.25'
    ]);
    expect(texts(node, '.jp-Mlops-counts tbody tr')).toEqual([
      '−559,000',
      '5152,000',
      '1535760'
    ]);
  });

  it('are listed by frequency if they are no numbers', () => {
    const statistics = someStatistics({
      edges: [],
      counts: [],
      missing: 0,
      minimum: null,
      maximum: null,
      mean: null,
      deviation: null,
      values: [
        ['UA', 6000],
        ['AA', 3000]
      ]
    });
    const node = render(
      <Values detail={aDetail({ statistics })} trans={trans} />
    );
    expect(node.querySelector('svg')).toBeNull();
    expect(texts(node, 'tbody tr')).toEqual(['UA600050 %', 'AA300025 %']);
    expect(texts(node, '.jp-Mlops-missing')).toEqual(['No value is missing.']);
  });

  it('are times if the type says so', () => {
    expect(formatMeasure(1_356_998_400, 'timestamp[us, tz=UTC]')).toBe(
      '2013-01-01'
    );
    expect(formatMeasure(1_357_000_200, 'timestamp[us]')).toBe(
      '2013-01-01 00:30'
    );
    expect(formatMeasure(1.5, 'double')).toBe('1.5');
  });

  it.each([
    [{}, 'It was not computed yet. Compute it to see its values.'],
    [
      { on_demand: true },
      'It is computed when it is asked for, from the request (hour); nothing is kept of it.'
    ],
    [
      { readable: false, sensitivity: 'restricted' },
      'Its values are restricted, and you are not among those who may read them. Ask ada, its owner.'
    ]
  ])('are not there for a reason: %j', (given, text) => {
    const detail = aDetail({ feature: aFeature(given), request: ['hour'] });
    const node = render(<Values detail={detail} trans={trans} />);
    expect(texts(node, 'p')).toEqual([text]);
  });

  it('tells whom to ask if nobody is named', () => {
    const feature = aFeature({ readable: false, owner: null });
    expect(askWhom(feature, trans)).toBe(
      'It is made from features whose values you may not read. Ask who keeps the project’s mlops.toml, where [features.access] names them.'
    );
  });
});

describe('what is known of a feature', () => {
  const SOURCE: SourceView = {
    name: 'flights',
    place: 'data/flights.csv',
    timestamp: 'day',
    owner: 'ops',
    description: 'All departures',
    freshness: 86_400,
    changed_at: '2026-03-01T12:00:00Z',
    late: true
  };
  const onNode = vi.fn();
  const onOpen = vi.fn();
  const detail = aDetail({
    feature: aFeature({ ttl: 604_800, tags: ['daily', 'core'] }),
    twins: ['other.delay'],
    downstream: ['flights.risk'],
    endpoints: ['late'],
    models: [
      {
        name: 'late',
        version: 3,
        aliases: ['champion'],
        feature_version: 'v0',
        changed: true
      }
    ],
    sources: [SOURCE, { ...SOURCE, name: 'lake', place: 's3://b/*.parquet' }]
  });

  it('is what its author says, and only that', () => {
    const node = render(
      <About detail={detail} trans={trans} onNode={onNode} onOpen={onOpen} />
    );
    expect(texts(node, '.jp-Mlops-factList > div')).toEqual([
      'Ownerada',
      'Entitycarrier',
      'Timeday',
      'A value holds7 d',
      'Tagsdailycore',
      'Partitionmonth',
      'Same codeother.delay'
    ]);
  });

  it('leads to whatever uses it, and to files that can be shown', () => {
    const node = render(
      <About detail={detail} trans={trans} onNode={onNode} onOpen={onOpen} />
    );
    const links = [...node.querySelectorAll<HTMLElement>('.jp-Mlops-link')];
    act(() => links.forEach(link => link.click()));
    expect(onNode.mock.calls).toEqual([
      ['feature', 'other.delay'],
      ['endpoint', 'late'],
      ['version', 'late/3'],
      ['feature', 'flights.risk']
    ]);
    expect(onOpen.mock.calls).toEqual([['data/flights.csv']]);
    expect(texts(node, '[data-model="late/3"]')).toEqual([
      'late v3 @champion trained with another version of it'
    ]);
    expect(texts(node, '.jp-Mlops-late')[0]).toContain('no older than 1 d');
    expect(isReadableFile('data/x.parquet')).toBe(false);
  });

  it('says that nothing uses it', () => {
    const node = render(
      <About detail={aDetail()} trans={trans} onNode={onNode} onOpen={onOpen} />
    );
    expect(node.textContent).toContain(
      'No feature, model or endpoint uses it yet.'
    );
  });
});

describe('what was found of a feature', () => {
  it('is told by shape and word, with the facts', () => {
    const detail = aDetail({
      checks: ['check_output(range=(0, 1))'],
      checked: {
        at: '2026-03-01T12:00:00Z',
        good: true,
        line: 'The same in 1000 rows.',
        facts: { rows: 1000, different: 0 }
      },
      drift: {
        at: '2026-03-01T12:00:00Z',
        good: false,
        line: 'PSI 0.41, more than 0.2.',
        facts: { distance: 0.41, allowed: null }
      }
    });
    const node = render(<Findings detail={detail} trans={trans} />);
    const found = [...node.querySelectorAll('[data-finding]')];
    expect(
      found.map(each => each.querySelector('[role="img"]')?.ariaLabel)
    ).toEqual(['succeeded', 'failed']);
    expect(found[0]?.textContent).not.toContain('different 0');
    expect(found[1]?.textContent).toContain('distance 0.41');
    expect(found[1]?.textContent).not.toContain('allowed');
    expect(texts(node, 'code')).toEqual(['check_output(range=(0, 1))']);
  });

  it('says what was not compared', () => {
    const node = render(<Findings detail={aDetail()} trans={trans} />);
    expect(texts(node, '[data-finding]')).toEqual([
      'Online and offline: not compared yet',
      'Since training: not compared yet'
    ]);
  });
});
