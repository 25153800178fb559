import { describe, expect, it } from 'vitest';

import { aCatalog } from '../../__tests__/features';
import { parseQuery, suggestionsOf } from '../query';

const FACETS = aCatalog();

describe('what is looked for in the catalog', () => {
  it.each([
    ['', {}],
    ['  ', {}],
    ['delay carrier', { text: 'delay carrier' }],
    ['owner:ada', { owner: 'ada' }],
    ['OWNER:Ada delay', { owner: 'ada', text: 'delay' }],
    ['owner:"bo smith" tag:daily', { owner: 'Bo Smith', tag: 'daily' }],
    ['type:double entity:carrier', { type: 'double', entity: 'carrier' }]
  ])('%j', (text, query) => {
    expect(parseQuery(text, FACETS)).toEqual(query);
  });

  it('takes a value that is still being typed for a word', () => {
    expect(parseQuery('owner:a', FACETS)).toEqual({ text: 'a' });
    expect(parseQuery('owner:', FACETS)).toEqual({});
    expect(parseQuery('owner:"bo sm', FACETS)).toEqual({ text: 'bo sm' });
    expect(parseQuery('owner:ada', null)).toEqual({ text: 'ada' });
  });

  it('takes a second value of one kind, and what looks alike, for words', () => {
    expect(parseQuery('owner:ada owner:"Bo Smith"', FACETS)).toEqual({
      owner: 'ada',
      text: 'Bo Smith'
    });
    expect(parseQuery('a:b http://x', FACETS)).toEqual({
      text: 'a:b http://x'
    });
  });

  it('offers what finds something', () => {
    expect(suggestionsOf(FACETS)).toEqual([
      'owner:ada',
      'owner:"Bo Smith"',
      'entity:carrier',
      'tag:daily',
      'type:double'
    ]);
    expect(suggestionsOf(null)).toEqual([]);
  });
});
