import type { Event } from '@jupyterlab/services';
import { Stream } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { anEvent } from '../../__tests__/samples';
import { ChangeFeed, MAX_REPLAY, SCHEMA_ID } from '../events';
import type { EventView } from '../types';

describe('ChangeFeed', () => {
  let stream: Stream<Event.IManager, Event.Emission>;
  let fetchAfter: ReturnType<
    typeof vi.fn<
      (after: number, limit: number) => Promise<readonly EventView[]>
    >
  >;
  let feed: ChangeFeed;
  let seen: number[];

  const emit = (seq: number, more: object = {}): void => {
    stream.emit({
      schema_id: SCHEMA_ID,
      project: 'flights',
      ...anEvent({ seq }),
      ...more
    } as unknown as Event.Emission);
  };
  const events = (...seqs: number[]): EventView[] =>
    seqs.map(seq => anEvent({ seq }));

  beforeEach(() => {
    stream = new Stream({} as Event.IManager);
    fetchAfter = vi.fn(() => Promise.resolve([]));
    feed = new ChangeFeed({ project: 'flights', stream, fetchAfter });
    seen = [];
    feed.changed.connect((_, each) => {
      seen.push(...each.map(event => event.seq));
    });
  });

  it('hands on events that come in order', () => {
    feed.reset(4);
    emit(5);
    emit(6);
    expect(seen).toEqual([5, 6]);
    expect(fetchAfter).not.toHaveBeenCalled();
  });

  it('ignores other projects, other schemas and what it has seen', () => {
    feed.reset(4);
    emit(5, { project: 'other' });
    emit(5, { schema_id: 'https://example.org/other' });
    emit(4);
    emit(3);
    expect(seen).toEqual([]);
  });

  it('is silent until it knows where it stands', () => {
    emit(1);
    expect(seen).toEqual([]);
  });

  it('asks for events that were missed, and delivers each once', async () => {
    feed.reset(4);
    fetchAfter.mockResolvedValueOnce(events(5, 6, 7));
    fetchAfter.mockResolvedValueOnce(events(8));
    emit(7);
    emit(8);
    await feed.heal();
    expect(seen).toEqual([5, 6, 7, 8]);
    expect(fetchAfter.mock.calls.map(([after]) => after)).toEqual([4, 7]);
  });

  it('asks once for several events that show the same gap', async () => {
    feed.reset(0);
    fetchAfter.mockResolvedValue(events(1, 2, 3));
    emit(2);
    emit(3);
    await feed.heal();
    expect(fetchAfter).toHaveBeenCalledTimes(1);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('does not repeat an event that arrives while a gap is being closed', async () => {
    feed.reset(0);
    let answer: (found: readonly EventView[]) => void = () => undefined;
    fetchAfter.mockReturnValue(
      new Promise(resolve => {
        answer = resolve;
      })
    );
    emit(2);
    emit(1);
    answer(events(1, 2));
    await feed.heal();
    expect(seen).toEqual([1, 2]);
  });

  it('keeps a gap open until the server can be asked', async () => {
    feed.reset(1);
    fetchAfter.mockRejectedValueOnce(new Error('away'));
    await expect(feed.heal()).rejects.toThrow('away');
    fetchAfter.mockResolvedValue(events(2, 3));
    await feed.heal();
    expect(seen).toEqual([2, 3]);
  });

  it('gives up replaying when too much was missed', async () => {
    const lost = vi.fn();
    feed.lost.connect(lost);
    feed.reset(0);
    const many = Array.from({ length: MAX_REPLAY }, (_, index) => index + 1);
    fetchAfter.mockResolvedValue(events(...many));
    await feed.heal();
    expect(lost).toHaveBeenCalledTimes(1);
    expect(seen).toEqual([]);
  });

  it('hears nothing after it was disposed of', () => {
    feed.reset(0);
    feed.dispose();
    emit(1);
    expect(seen).toEqual([]);
  });
});
