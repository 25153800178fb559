/** How the runs are made and ranked, and what they may use. */
import type { ParametersView, SpaceRequest, SubmitRequest } from '../api/types';
import { parseBytes, parseCount, parseSeconds } from './units';

/** What was typed or chosen, as text; empty means: as usual. */
export interface IOptions {
  readonly mode: 'grid' | 'zip' | 'random';
  readonly samples: string;
  readonly seed: string;
  /** Who chooses the points one after the other; empty means that they are all given. */
  readonly sampler: '' | 'random' | 'tpe';
  readonly trials: string;
  /** What stops runs that lag behind; empty means nothing. */
  readonly prune: '' | 'asha';
  readonly metric: string;
  /** Direction of the metric; empty means: by its name. */
  readonly direction: '' | 'highest' | 'lowest';
  readonly experiment: string;
  readonly cpus: string;
  readonly memory: string;
  readonly gpus: string;
  readonly timeout: string;
  readonly retries: string;
  readonly priority: string;
  /** Name of the executor; empty means: as the settings say. */
  readonly executor: string;
  /** One `NAME = SPACE` a line, for notebooks whose parameters cannot be read. */
  readonly free: string;
}

export type OptionName = keyof IOptions;

export const DEFAULT_OPTIONS: IOptions = {
  mode: 'grid',
  samples: '20',
  seed: '',
  sampler: '',
  trials: '20',
  prune: '',
  metric: '',
  direction: '',
  experiment: '',
  cpus: '',
  memory: '',
  gpus: '',
  timeout: '',
  retries: '',
  priority: '',
  executor: '',
  free: ''
};

type Reader = (text: string) => number | null;

const READERS: Readonly<Partial<Record<OptionName, Reader>>> = {
  samples: text => parseCount(text, 1),
  seed: text => parseCount(text, Number.MIN_SAFE_INTEGER),
  trials: text => parseCount(text, 1),
  cpus: text => parseCount(text, 1),
  memory: parseBytes,
  gpus: text => parseCount(text, 0),
  timeout: parseSeconds,
  retries: text => parseCount(text, 0),
  priority: text => parseCount(text, Number.MIN_SAFE_INTEGER)
};

/** The options that hold something that cannot be read. */
export function optionErrors(options: IOptions): ReadonlySet<OptionName> {
  const names = Object.keys(READERS) as OptionName[];
  const used = names.filter(name => isUsed(name, options));
  const isWrong = (name: OptionName): boolean =>
    REQUIRED.has(name) || options[name].trim() !== ''
      ? READERS[name]?.(options[name]) === null
      : false;
  return new Set(used.filter(isWrong));
}

/** Numbers that have to be there where they are used. */
const REQUIRED: ReadonlySet<OptionName> = new Set(['samples', 'trials']);

/** Whether the runs are made by it; a sampler takes the place of the mode. */
function isUsed(name: OptionName, { mode, sampler }: IOptions): boolean {
  switch (name) {
    case 'samples':
    case 'seed':
      return mode === 'random' && sampler === '';
    case 'trials':
      return sampler !== '';
    default:
      return true;
  }
}

/** The direction of the last sweep, if it was chosen then. */
export function directionOf(declared: ParametersView): IOptions['direction'] {
  if (declared.last_metric === null || declared.last_maximize === null) {
    return '';
  }
  return declared.last_maximize ? 'highest' : 'lowest';
}

/** Read `NAME = SPACE` lines. */
export function freeParameters(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').filter(line => line.trim() !== '');
  return Object.fromEntries(
    lines.map(line => {
      const index = line.indexOf('=');
      return index < 0
        ? [line.trim(), '']
        : [line.slice(0, index).trim(), line.slice(index + 1).trim()];
    })
  );
}

/** What to send to count the runs, and to see whether there is room for them. */
export function toSpaceRequest(
  notebook: string,
  space: Readonly<Record<string, string>>,
  options: IOptions
): SpaceRequest {
  const sampler = options.sampler || null;
  const isRandom = options.mode === 'random' && sampler === null;
  return {
    notebook,
    space,
    mode: sampler === null ? options.mode : 'grid',
    sampler,
    trials: sampler === null ? null : read(options, 'trials'),
    samples: isRandom ? read(options, 'samples') : null,
    seed: isRandom ? read(options, 'seed') : null,
    allow_undeclared: options.free.trim() !== '',
    cpus: read(options, 'cpus'),
    memory: read(options, 'memory'),
    gpus: read(options, 'gpus') ?? 0,
    executor: options.executor || null
  };
}

/** What to send to start them. */
export function toSubmitRequest(
  notebook: string,
  space: Readonly<Record<string, string>>,
  options: IOptions
): SubmitRequest {
  return {
    ...toSpaceRequest(notebook, space, options),
    metric: options.metric.trim() || null,
    maximize: options.direction === '' ? null : options.direction === 'highest',
    prune: options.prune || null,
    experiment: options.experiment.trim() || null,
    timeout: read(options, 'timeout'),
    retries: read(options, 'retries'),
    priority: read(options, 'priority') ?? 0
  };
}

function read(options: IOptions, name: OptionName): number | null {
  return options[name].trim() === ''
    ? null
    : (READERS[name]?.(options[name]) ?? null);
}
