/** What can be done with a file that a run kept, without a tab of its own. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs, NO_ARGUMENTS } from '../commands';
import type { IArtifactTarget, Targets } from '../targets';
import { isImage } from './kinds';

/** The file that the user points at. */
export function artifactTarget(targets: Targets): IArtifactTarget | null {
  const target = targets.current;
  return target?.kind === 'artifact' ? target : null;
}

/** The same, if it is a picture that other runs of a sweep may have, too. */
export function pictureTarget(targets: Targets): IArtifactTarget | null {
  const target = artifactTarget(targets);
  const isComparable =
    target?.sweep.kind === 'sweep' && isImage(target.artifact);
  return isComparable ? target : null;
}

export function addArtifactCommands(
  commands: CommandRegistry,
  targets: Targets,
  trans: TranslationBundle
): void {
  commands.addCommand(CommandIDs.downloadArtifact, {
    label: trans.__('Download Artifact'),
    caption: trans.__('Save the file that the run kept on your machine'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => artifactTarget(targets) !== null,
    execute: () => {
      const target = artifactTarget(targets);
      if (target) {
        const { store, run, artifact } = target;
        const { path } = artifact;
        const place = { project: store.project.path, run: run.id, path };
        download(store.client.artifacts.url(place));
      }
    }
  });
}

/** Have the browser save what is at an address; it never shows it. */
function download(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}
