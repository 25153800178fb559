/** Lays out pipelines in a thread of its own. */
import type { ILayoutRequest } from './layout';
import { computeLayout } from './layout';

const scope = self as unknown as {
  postMessage: (message: unknown) => void;
};

self.addEventListener('message', (event: MessageEvent<ILayoutRequest>) => {
  scope.postMessage(computeLayout(event.data));
});
