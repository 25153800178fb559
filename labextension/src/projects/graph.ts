/** Which stage depends on which. */
import type { StageView } from '../api/types';

const NONE: readonly string[] = [];

export class Graph {
  constructor(private readonly stages: readonly StageView[]) {
    const known = new Set(stages.map(stage => stage.name));
    for (const { name, upstream } of stages) {
      const before = upstream.filter(each => known.has(each));
      this._upstream.set(name, before);
      before.forEach(each => {
        const after = this._downstream.get(each);
        if (after) {
          after.push(name);
        } else {
          this._downstream.set(each, [name]);
        }
      });
    }
  }

  /** Whether these stages, whatever else there is to know of them, depend on each other so. */
  isOf(stages: readonly StageView[]): boolean {
    return (
      stages === this.stages ||
      (stages.length === this.stages.length &&
        stages.every(({ name, upstream, group, file, kind }, index) => {
          const mine = this.stages[index];
          return (
            mine?.name === name &&
            mine.upstream === upstream &&
            mine.group === group &&
            mine.file === file &&
            mine.kind === kind
          );
        }))
    );
  }

  /** What a stage depends on directly. */
  upstream(name: string): readonly string[] {
    return this._upstream.get(name) ?? NONE;
  }

  /** What depends on a stage directly. */
  downstream(name: string): readonly string[] {
    return this._downstream.get(name) ?? NONE;
  }

  /** These stages and all that follows from them. */
  following(names: readonly string[]): ReadonlySet<string> {
    return this._reach(names, name => this.downstream(name));
  }

  /** These stages and all that they follow from. */
  preceding(names: readonly string[]): ReadonlySet<string> {
    return this._reach(names, name => this.upstream(name));
  }

  private _reach(
    names: readonly string[],
    next: (name: string) => readonly string[]
  ): ReadonlySet<string> {
    const found = new Set(names);
    // A set goes on to what is added to it meanwhile.
    for (const name of found) {
      next(name).forEach(each => found.add(each));
    }
    return found;
  }

  private readonly _upstream = new Map<string, readonly string[]>();
  private readonly _downstream = new Map<string, string[]>();
}
