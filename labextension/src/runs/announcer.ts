/** Tells the user when what they have started has ended. */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { ProjectView, SweepView } from '../api/types';
import { decodeNumber } from '../values';
import { CommandIDs } from '../commands';
import { baseName, formatNumber } from '../format';
import type { ProjectStore } from '../projects/store';
import type { Stores } from '../projects/stores';
import { countOf } from '../status';

/** The notification stays for this long, in ms. */
const SHOWN = 10_000;

export class Announcer {
  constructor(
    private readonly stores: Stores,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle,
    private readonly isWanted: () => boolean
  ) {}

  /** Say when this sweep has ended, whichever project is shown by then. */
  watch(project: ProjectView, sweep: SweepView): void {
    const lease = this.stores.acquire(project);
    const { store } = lease;
    // Whoever watches is told of the end even if the panel is closed.
    const watch = store.watch(sweep.id);
    store.put(sweep);
    const onFinished = (_: ProjectStore, ended: SweepView): void => {
      if (ended.id === sweep.id) {
        store.finished.disconnect(onFinished);
        watch.dispose();
        lease.dispose();
        if (this.isWanted()) {
          this._announce(project, ended);
        }
      }
    };
    store.finished.connect(onFinished);
  }

  private _announce(project: ProjectView, sweep: SweepView): void {
    const isGood = sweep.status === 'succeeded';
    const show = isGood ? Notification.success : Notification.warning;
    show(announcement(sweep, this.trans), {
      autoClose: SHOWN,
      actions: [
        {
          label: this.trans.__('Open'),
          callback: () => {
            const args = { project: project.path, sweep: sweep.id };
            void this.commands.execute(CommandIDs.openSweep, args);
          }
        }
      ]
    });
  }
}

/** One sentence about a sweep that has ended. */
export function announcement(
  sweep: SweepView,
  trans: TranslationBundle
): string {
  const name = baseName(sweep.notebook);
  const { succeeded, failed, pruned } = sweep.counts;
  const cancelled = countOf('cancelled', sweep.counts);
  const best = decodeNumber(sweep.best?.value);
  const facts = [
    succeeded > 0
      ? trans._n('%1 run succeeded', '%1 runs succeeded', succeeded)
      : '',
    failed === 0
      ? ''
      : succeeded > 0
        ? trans.__('%1 failed', failed)
        : trans._n('%1 run failed', '%1 runs failed', failed),
    pruned > 0 ? trans.__('%1 pruned', pruned) : '',
    cancelled > 0 ? trans.__('%1 cancelled', cancelled) : '',
    best !== null && sweep.metric !== null
      ? trans.__('best %1 %2', sweep.metric, formatNumber(best))
      : ''
  ];
  return `${name}: ${facts.filter(Boolean).join(', ')}`;
}
