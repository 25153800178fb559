/** What rows do when they are used. */
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commands';
import type { Target, Targets } from '../targets';

export interface IRowHandlers {
  /** The row got the focus. */
  readonly select: (target: Target) => void;
  /** The row's menu is about to open. */
  readonly point: (target: Target) => void;
  readonly open: (target: Target) => void;
  /** Open the notebook that it has written. */
  readonly openOutput: (target: Target) => void;
  /** Ask whether to delete it. */
  readonly remove: (target: Target) => void;
}

/** Let rows run the commands, which act on the row that was pointed at last. */
export function rowHandlers(
  commands: CommandRegistry,
  targets: Targets
): IRowHandlers {
  const execute = (target: Target, id: string): void => {
    targets.focus(target);
    void commands.execute(id);
  };
  return {
    select: target => {
      targets.focus(target);
    },
    point: target => {
      targets.point(target);
    },
    open: target => {
      execute(target, openCommand(target));
    },
    openOutput: target => {
      execute(target, CommandIDs.openOutput);
    },
    remove: target => {
      if (target.kind === 'sweep') {
        execute(target, CommandIDs.deleteSweep);
      } else if (target.kind === 'run') {
        execute(target, CommandIDs.deleteRun);
      }
    }
  };
}

/** A sweep opens its tab, and so does a run; of a session's metrics there is more in the first. */
function openCommand(target: Target): string {
  if (target.kind === 'model') {
    return CommandIDs.openModel;
  }
  if (target.kind === 'endpoint') {
    return CommandIDs.openEndpoint;
  }
  if (target.kind === 'feature') {
    return CommandIDs.openFeature;
  }
  if (target.kind === 'stage') {
    return CommandIDs.openStage;
  }
  if (target.kind === 'artifact') {
    return CommandIDs.openArtifact;
  }
  return target.kind === 'run' || target.sweep.kind === 'run'
    ? CommandIDs.openRun
    : CommandIDs.openSweep;
}
