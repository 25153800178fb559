/** How executors are told of. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ExecutorView } from '../api/types';

/** The cores that are busy, of all. */
export function busyText(
  busy: number,
  all: number,
  trans: TranslationBundle
): string {
  return trans._n('%2/%1 core', '%2/%1 cores', all, busy);
}

/** Why no nodes are listed, or null if the reason is told otherwise. */
export function stateText(
  cluster: ExecutorView,
  trans: TranslationBundle
): string | null {
  if (cluster.problem !== null || cluster.nodes.length > 0) {
    return null;
  }
  return cluster.connected
    ? trans.__('It has no nodes now.')
    : trans.__('Its nodes show here as soon as runs are sent there.');
}

/** An executor as a place to choose. */
export function placeText(
  executor: ExecutorView,
  trans: TranslationBundle
): string {
  const { name, nodes } = executor;
  if (!executor.remote) {
    return trans.__('this machine');
  }
  if (executor.runs_on === null) {
    return trans.__('%1: cannot be used', name);
  }
  const cores = nodes.reduce((sum, each) => sum + each.cores, 0);
  const free = nodes.reduce((sum, each) => sum + each.cores_free, 0);
  return nodes.length > 0
    ? trans._n('%3: %2/%1 core free', '%3: %2/%1 cores free', cores, free, name)
    : name;
}

/** A link that may be followed; what is neither an address nor a path could be code. */
export function safeLink(link: string | null): string | null {
  return link !== null && /^(https?:\/\/|\/)(?![/\\])/i.test(link)
    ? link
    : null;
}
