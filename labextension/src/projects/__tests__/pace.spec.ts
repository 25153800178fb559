import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Extent } from '../pace';
import { Pace } from '../pace';

describe('Pace', () => {
  let asked: Extent[];
  let pace: Pace;
  /** How long an answer takes, in ms. */
  let took: number;

  beforeEach(() => {
    vi.useFakeTimers();
    asked = [];
    took = 0;
    pace = new Pace(async what => {
      asked.push(what);
      await new Promise(resolve => setTimeout(resolve, took));
    });
  });
  afterEach(() => {
    pace.dispose();
    vi.useRealTimers();
  });

  const wait = (ms: number): Promise<unknown> =>
    vi.advanceTimersByTimeAsync(ms);

  it('makes one request of a burst', async () => {
    for (let index = 0; index < 20; index++) {
      pace.ask('now');
      pace.ask('run');
    }
    await wait(400);
    expect(asked).toEqual(['all']);
  });

  it('asks for what was due although the timer comes early', async () => {
    const begun = Date.now();
    pace.ask('now');
    const clock = vi.spyOn(Date, 'now').mockReturnValue(begun + 149);
    await wait(150);
    clock.mockRestore();
    await wait(1000);
    expect(asked).toEqual(['all']);
  });

  it('asks about a run at most once a second', async () => {
    for (let elapsed = 0; elapsed < 5000; elapsed += 50) {
      pace.ask('run');
      await wait(50);
    }
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked.length).toBeLessThanOrEqual(5);
  });

  it('asks less often where the answer takes long', async () => {
    took = 2000;
    for (let elapsed = 0; elapsed < 20_000; elapsed += 100) {
      pace.ask('run');
      await wait(100);
    }
    expect(asked).toHaveLength(2);
  });

  it('puts off what is not urgent, and drops what is only old', async () => {
    pace.ask('later');
    await wait(1000);
    pace.ask('old');
    pace.ask('later');
    await wait(10_000);
    expect(asked).toEqual(['all']);
    await wait(10_000);
    expect(asked).toEqual(['all', 'all']);
    await wait(30_000);
    pace.ask('old');
    await wait(1000);
    expect(asked).toHaveLength(3);
  });

  it('asks once at a time', async () => {
    took = 500;
    pace.ask('now');
    await wait(200);
    pace.ask('now');
    await wait(300);
    expect(asked).toEqual(['all']);
    await wait(1000);
    expect(asked).toEqual(['all', 'all']);
  });

  it('asks at once if told to, instead of what was due', async () => {
    pace.ask('now');
    const done = pace.run('all');
    await wait(1000);
    await done;
    expect(asked).toEqual(['all']);
  });

  it('asks nothing any more when it is disposed of', async () => {
    pace.ask('now');
    pace.dispose();
    await pace.run('all');
    await wait(1000);
    expect(asked).toEqual([]);
  });
});
