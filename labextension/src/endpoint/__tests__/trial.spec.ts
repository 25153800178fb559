import { describe, expect, it } from 'vitest';

import type { IScored } from '../../api/endpoints';
import { anEndpoint } from '../../__tests__/samples';
import { Trial } from '../trial';

const COLUMNS = [
  { name: 'distance', type: 'double', required: true },
  { name: 'hour', type: 'long', required: true },
  { name: 'carrier', type: 'string', required: true },
  { name: 'holiday', type: 'boolean', required: false }
];
const EXAMPLE = {
  dataframe_split: {
    columns: ['distance', 'hour', 'carrier'],
    data: [[100.5, 3, 'UA']]
  }
};

function aTrial(answer: Partial<IScored> = {}): {
  readonly trial: Trial;
  readonly asked: unknown[];
} {
  const asked: unknown[] = [];
  const trial = new Trial(body => {
    asked.push(JSON.parse(body));
    return Promise.resolve({
      predictions: [1],
      message: null,
      column: null,
      took: 3,
      ...answer
    });
  });
  return { trial, asked };
}

describe('Trial', () => {
  it('begins with the example, and sends each value in its type', async () => {
    const { trial, asked } = aTrial();
    trial.describe({
      endpoint: anEndpoint(),
      columns: COLUMNS,
      example: EXAMPLE
    });
    expect(trial.value('distance')).toBe('100.5');
    trial.setValue('holiday', 'true');
    await trial.submit();
    expect(asked).toEqual([
      {
        dataframe_records: [
          { distance: 100.5, hour: 3, carrier: 'UA', holiday: true }
        ]
      }
    ]);
    expect(trial.answer?.predictions).toEqual([1]);
  });

  it('sends what is left empty as missing, and what is no number as it is', async () => {
    const { trial, asked } = aTrial();
    trial.describe({ endpoint: anEndpoint(), columns: COLUMNS, example: null });
    trial.setValue('hour', 'noon');
    await trial.submit();
    expect(asked).toEqual([
      { dataframe_records: [{ distance: null, hour: 'noon', carrier: '' }] }
    ]);
  });

  it('keeps what was typed when the endpoint is asked again', () => {
    const { trial } = aTrial();
    const detail = {
      endpoint: anEndpoint(),
      columns: COLUMNS,
      example: EXAMPLE
    };
    trial.describe(detail);
    trial.setValue('hour', '5');
    trial.describe({ ...detail, columns: COLUMNS.slice(0, 2) });
    expect(trial.columns).toHaveLength(2);
    expect(trial.value('hour')).toBe('5');
  });

  it('takes JSON where the model has no columns', async () => {
    const { trial, asked } = aTrial();
    trial.describe({ endpoint: anEndpoint(), columns: [], example: null });
    trial.text = '{"inputs": [[1, 2]]}';
    await trial.submit();
    expect(asked).toEqual([{ inputs: [[1, 2]] }]);
  });
});
