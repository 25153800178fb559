/** The runs that the user has chosen to be compared. */
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

export class Chosen {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Ids of the chosen runs of a project, in the order in which they were chosen. */
  of(project: string): readonly string[] {
    return [...(this._ids.get(project) ?? [])];
  }

  has(project: string, run: string): boolean {
    return this._ids.get(project)?.has(run) ?? false;
  }

  toggle(project: string, run: string): void {
    const ids = this._ids.get(project) ?? new Set();
    if (!ids.delete(run)) {
      ids.add(run);
    }
    this._ids.set(project, ids);
    this._changed.emit();
  }

  /** Choose none of a project's runs any more. */
  clear(project: string): void {
    this._ids.delete(project);
    this._changed.emit();
  }

  private readonly _ids = new Map<string, Set<string>>();
  private readonly _changed = new Signal<this, void>(this);
}
