/** Features for tests, in the contract's form, and a server that has many of them. */
import type {
  FeatureDetail,
  FeaturesView,
  FeatureView,
  StatisticsView
} from '../api/types';
import type { FakeServer, IAsked } from './server';

export function aFeature(given: Partial<FeatureView> = {}): FeatureView {
  return {
    name: 'flights.delay',
    group: 'flights',
    summary: 'Mean delay of a carrier on the day before.',
    entity: ['carrier'],
    timestamp: 'day',
    owner: 'ada',
    tags: [],
    type: 'double',
    sensitivity: null,
    cost: null,
    ttl: null,
    on_demand: false,
    readable: true,
    state: 'fresh',
    version: 'v1',
    computed_at: '2026-03-01T12:00:00Z',
    rows: 100,
    missing: 0,
    last: '2026-03-01T00:00:00Z',
    online_at: null,
    ...given
  };
}

export function aCatalog(given: Partial<FeaturesView> = {}): FeaturesView {
  const features = given.features ?? [aFeature()];
  return {
    features,
    found: features.length,
    total: features.length,
    problems: [],
    entities: ['carrier'],
    owners: ['ada', 'Bo Smith'],
    tags: ['daily'],
    types: ['double'],
    ...given
  };
}

export function someStatistics(
  given: Partial<StatisticsView> = {}
): StatisticsView {
  return {
    rows: 12_000,
    missing: 240,
    distinct: 900,
    minimum: -5,
    maximum: 35,
    mean: 5,
    deviation: 8.25,
    edges: [-5, 5, 15, 35],
    counts: [9000, 2000, 760],
    values: [],
    ...given
  };
}

export function aDetail(given: Partial<FeatureDetail> = {}): FeatureDetail {
  return {
    feature: aFeature(),
    description: 'Mean delay of a carrier on the day before.\n\nIn minutes.',
    code: 'def delay(flights):\n    return flights.delay',
    path: 'features/flights.py',
    line: 12,
    inputs: ['flights'],
    request: [],
    upstream: [],
    downstream: [],
    edges: [],
    twins: [],
    sources: [],
    models: [],
    models_problem: null,
    endpoints: [],
    checks: [],
    lookback: null,
    partition: 'month',
    snippet: 'import jupyter_mlops as mlops\nmlops.features.training_set()',
    computation: null,
    statistics: null,
    online_rows: null,
    checked: null,
    drift: null,
    ...given
  };
}

/** Let a server answer as if it had so many features, whose names contain their numbers. */
export function serveMany(server: FakeServer, count: number): void {
  const all = Array.from({ length: count }, (_, at) =>
    aFeature({ name: `many.f${String(at).padStart(4, '0')}`, group: 'many' })
  );
  server.on('GET /features', ({ query }: IAsked) => {
    const found = all.filter(({ name }) => name.includes(query.text ?? ''));
    const offset = Number(query.offset ?? 0);
    const limit = Number(query.limit ?? count);
    return aCatalog({
      features: found.slice(offset, offset + limit),
      found: found.length,
      total: count
    });
  });
}
