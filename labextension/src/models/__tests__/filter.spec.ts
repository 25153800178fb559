import { describe, expect, it } from 'vitest';

import { aModel } from '../../__tests__/samples';
import { parseFilter, suggestionsOf } from '../filter';

const MODELS = [
  aModel({
    name: 'late-flights',
    version: 3,
    aliases: ['champion'],
    description: 'Fit for summer.',
    tags: {
      owner: 'Ada Lovelace',
      task: 'delay',
      stakeholders: 'ops, Bo',
      stage: 'tested',
      'mlops.features': '["dep_hour", "carrier"]',
      'mlops.data': '["data/flights.parquet"]'
    },
    metrics: { auc: 0.731, loss: 0.4 }
  }),
  aModel({
    name: 'demand',
    version: 1,
    tags: { owner: 'bo', 'mlops.data': 'no JSON' },
    metrics: { auc: 0.65 }
  })
];

const found = (text: string): readonly string[] =>
  MODELS.filter(parseFilter(text)).map(model => model.name);

describe('the filter of models', () => {
  it.each([
    ['', ['late-flights', 'demand']],
    ['late', ['late-flights']],
    ['SUMMER', ['late-flights']],
    ['@champ', ['late-flights']],
    ['v1', ['demand']],
    ['owner:ada', ['late-flights']],
    ['owner:"ada love"', ['late-flights']],
    ['owner:"ada', ['late-flights']],
    ['owner:', ['late-flights', 'demand']],
    ['task:delay', ['late-flights']],
    ['stakeholder:bo', ['late-flights']],
    ['tag:stage', ['late-flights']],
    ['tag:stage=test', ['late-flights']],
    ['tag:stage=other', []],
    ['feature:carrier', ['late-flights']],
    ['data:flights', ['late-flights']],
    ['alias:champion', ['late-flights']],
    ['auc > 0.7', ['late-flights']],
    ['auc<=0.65', ['demand']],
    ['auc != 0.65', ['late-flights']],
    ['loss < 1', ['late-flights']],
    ['unknown > 0', []],
    ['auc > 0.6 owner:bo', ['demand']],
    ['auc >', ['late-flights', 'demand']],
    ['other:thing', []]
  ])('finds by %s', (text, names) => {
    expect(found(text)).toEqual(names);
  });

  it('suggests what finds something', () => {
    const suggested = suggestionsOf(MODELS);
    expect(suggested).toContain('@champion');
    expect(suggested).toContain('owner:"Ada Lovelace"');
    expect(suggested).toContain('tag:stage=tested');
    expect(suggested.filter(each => each.includes('mlops.'))).toEqual([]);
    for (const each of suggested) {
      expect(found(each)).not.toEqual([]);
    }
  });
});
