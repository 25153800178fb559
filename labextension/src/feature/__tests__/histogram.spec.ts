import { describe, expect, it } from 'vitest';

import { someStatistics } from '../../__tests__/features';
import { highestBar, histogramBars, placeOf } from '../histogram';

describe('the histogram', () => {
  it('has bars as wide as their edges are apart', () => {
    const bars = histogramBars(someStatistics());
    expect(bars.map(({ x, width }) => [x, width])).toEqual([
      [0, 0.25],
      [0.25, 0.25],
      [0.5, 0.5]
    ]);
    expect(bars.map(({ height }) => height)).toEqual([1, 2 / 9, 760 / 9000]);
    expect(highestBar(bars)).toMatchObject({ from: -5, to: 5, count: 9000 });
  });

  it('has none without numbers', () => {
    expect(histogramBars(someStatistics({ edges: [], counts: [] }))).toEqual(
      []
    );
    expect(histogramBars(someStatistics({ counts: [0, 0, 0] }))).toEqual([]);
    expect(highestBar([])).toBeNull();
  });

  it('shows a single value, which has no width', () => {
    const single = someStatistics({ edges: [3, 3], counts: [7] });
    expect(histogramBars(single)).toEqual([
      { from: 3, to: 3, count: 7, x: 0, width: 1, height: 1 }
    ]);
    expect(placeOf(3, single)).toBeNull();
  });

  it('knows where the mean lies', () => {
    expect(placeOf(5, someStatistics())).toBe(0.25);
    expect(placeOf(null, someStatistics())).toBeNull();
  });
});
