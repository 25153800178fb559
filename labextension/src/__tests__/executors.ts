/** Executors for tests, in the contract's form. */
import type { ExecutorNode, ExecutorView } from '../api/types';

export function aNode(given: Partial<ExecutorNode> = {}): ExecutorNode {
  return {
    name: 'a on n1',
    cores: 4,
    cores_free: 1,
    memory: 2e9,
    memory_free: 2e9,
    gpus: 0,
    gpus_free: 0,
    running: 3,
    ...given
  };
}

export function anExecutor(given: Partial<ExecutorView> = {}): ExecutorView {
  return {
    name: 'dask',
    runs_on: 'tcp://n1:8786',
    default: true,
    remote: true,
    connected: true,
    problem: null,
    nodes: [aNode(), aNode({ name: 'b on n2', cores: 2, cores_free: 2 })],
    unused: [],
    dashboard: 'http://n1:8787/status',
    ...given
  };
}

/** This machine. */
export const LOCAL = anExecutor({
  name: 'local',
  runs_on: 'this machine',
  default: false,
  remote: false,
  nodes: [],
  dashboard: null
});
