/** What is said of an endpoint. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { EndpointView } from '../api/types';
import { formatNumber } from '../format';

/** Write how long an answer takes: `3.2 ms`. */
export function formatLatency(
  seconds: number,
  trans: TranslationBundle
): string {
  return trans.__(
    '%1 ms',
    formatNumber(Number((seconds * 1000).toPrecision(3)))
  );
}

/** The version, and what is loaded to take its place. */
export function versionText(
  endpoint: EndpointView,
  trans: TranslationBundle
): string {
  const version = trans.__('v%1', endpoint.version);
  return endpoint.next === null || endpoint.next === endpoint.version
    ? version
    : trans.__('%1 → v%2', version, endpoint.next);
}

/** What happens to an endpoint just now, for a tooltip. */
export function endpointTitle(
  endpoint: EndpointView,
  trans: TranslationBundle
): string {
  const { p50, p95 } = endpoint;
  return [
    `${endpoint.name} ${versionText(endpoint, trans)}`,
    ...(p50 === null || p95 === null
      ? []
      : [
          trans.__(
            'p50 %1, p95 %2',
            formatLatency(p50, trans),
            formatLatency(p95, trans)
          )
        ]),
    trans.__(
      '%1 requests, %2 refused or failed',
      endpoint.requests,
      endpoint.failures
    ),
    ...(endpoint.error === null ? [] : [endpoint.error])
  ].join('\n');
}
