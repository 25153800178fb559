/** React hooks that join views to models. */
import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer, useState } from 'react';

/** Render again whenever the signal is emitted. */
export function useSignal<S, A>(signal: ISignal<S, A>): void {
  const [, render] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    const slot = (): void => {
      render();
    };
    signal.connect(slot);
    return () => {
      signal.disconnect(slot);
    };
  }, [signal]);
}

/** The time in ms since the epoch, renewed every `interval` ms while the page is visible. */
export function useNow(interval: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) {
        setNow(Date.now());
      }
    }, interval);
    return () => {
      clearInterval(timer);
    };
  }, [interval]);
  return now;
}
