import { describe, expect, it } from 'vitest';

import { aDetail } from '../../__tests__/features';
import { lineageOf } from '../lineage';

const MODEL = { aliases: [], feature_version: null, changed: false };

describe('the lineage of a feature', () => {
  it('goes from sources and features to features, models and endpoints', () => {
    const { nodes, edges } = lineageOf(
      aDetail({
        sources: [
          {
            name: 'flights',
            place: 'data/flights.csv',
            timestamp: null,
            owner: null,
            description: '',
            freshness: null,
            changed_at: null,
            late: false
          }
        ],
        upstream: ['weather.wind'],
        downstream: ['flights.risk'],
        edges: [
          ['source:flights', 'feature:weather.wind'],
          ['feature:weather.wind', 'feature:flights.delay'],
          ['feature:flights.delay', 'feature:flights.risk']
        ],
        models: [
          { ...MODEL, name: 'late', version: 3, aliases: ['champion'] },
          { ...MODEL, name: 'fares', version: 1 }
        ],
        endpoints: ['late', 'other']
      })
    );
    expect(nodes.map(({ id, about }) => [id, about])).toEqual([
      ['source:flights', null],
      ['feature:weather.wind', null],
      ['feature:flights.delay', 'double'],
      ['feature:flights.risk', null],
      ['version:late/3', '@champion'],
      ['version:fares/1', null],
      ['endpoint:late', null],
      ['endpoint:other', null]
    ]);
    const own = 'feature:flights.delay';
    expect(edges).toEqual([
      ['source:flights', 'feature:weather.wind'],
      ['feature:weather.wind', own],
      [own, 'feature:flights.risk'],
      [own, 'version:late/3'],
      [own, 'version:fares/1'],
      ['version:late/3', 'endpoint:late'],
      [own, 'endpoint:other']
    ]);
  });

  it('is the feature alone if nothing is known', () => {
    expect(lineageOf(aDetail()).nodes).toHaveLength(1);
  });
});
