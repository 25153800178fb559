/** The tabs of files that runs keep, and of galleries; both come back after a reload. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import {
  addArtifactCommands,
  artifactTarget,
  pictureTarget
} from '../artifacts/commands';
import type { ArtifactTab } from '../artifacts/tab';
import { CommandIDs, NO_ARGUMENTS } from '../commands';
import { attempt } from '../components/attempt';
import type { GalleryPanel } from '../gallery/panel';
import type { IGalleryState } from '../gallery/state';
import { NO_STATE, readState } from '../gallery/state';
import { IMlops } from '../tokens';

type FileTab = MainAreaWidget<ArtifactTab>;
type GalleryTab = MainAreaWidget<GalleryPanel>;

export const artifactsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:artifacts',
  description: 'Opens the files that runs keep.',
  autoStart: true,
  requires: [IMlops, IRenderMimeRegistry],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null
  ): void => {
    const { targets, trans } = mlops;
    const tracker = new WidgetTracker<FileTab>({ namespace: 'mlops-artifact' });
    const open = async (file: IFile): Promise<void> => {
      const key = JSON.stringify([file.project, file.run, file.path]);
      const known = tracker.find(each => keyOf(each.content) === key);
      const tab = known ?? (await createFile(app, mlops, rendermime, file));
      if (!known) {
        await tracker.add(tab);
        app.shell.add(tab, 'main', { type: 'MLOps Artifact' });
      }
      app.shell.activateById(tab.id);
    };
    addArtifactCommands(app.commands, targets, trans);
    app.commands.addCommand(CommandIDs.openArtifact, {
      label: trans.__('Open Artifact in Tab'),
      caption: trans.__('Show the file that the run kept in a tab of its own'),
      describedBy: { args: FILE_ARGUMENTS },
      isVisible: () => artifactTarget(targets) !== null,
      execute: async args => {
        const target = artifactTarget(targets);
        const file = givenFile(args) ?? (target && fileOf(target));
        if (file) {
          await attempt(open(file));
        }
      }
    });
    void restorer?.restore(tracker, {
      command: CommandIDs.openArtifact,
      name: tab => tab.id,
      args: tab => ({ ...fileOfTab(tab.content) })
    });
  }
};

export const galleryPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-mlops:gallery',
  description: 'Shows the same picture of all runs of a sweep.',
  autoStart: true,
  requires: [IMlops],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    mlops: IMlops,
    restorer: ILayoutRestorer | null
  ): void => {
    const tracker = new WidgetTracker<GalleryTab>({
      namespace: 'mlops-gallery'
    });
    const open = (gallery: IGallery): Promise<void> =>
      openGallery(app, mlops, tracker, gallery);
    addGalleryCommands(app, mlops, open);
    void restorer?.restore(tracker, {
      command: CommandIDs.openGallery,
      name: tab => tab.id,
      args: ({ content: { model } }) => ({
        project: model.store.project.path,
        sweep: model.id,
        state: { ...model.state, source: model.source && { ...model.source } }
      })
    });
  }
};

interface IFile {
  readonly project: string;
  /** Null if it has to be looked up. */
  readonly sweep: string | null;
  readonly run: string;
  readonly path: string;
}

interface IGallery {
  readonly project: string;
  readonly sweep: string;
  readonly state: IGalleryState;
}

const PROJECT_ARGUMENT = {
  type: 'string',
  description: 'Path of the project, relative to the root of the server.'
} as const;

const FILE_ARGUMENTS = {
  type: 'object',
  properties: {
    project: PROJECT_ARGUMENT,
    run: { type: 'string', description: 'Id of the run.' },
    sweep: { type: 'string', description: 'Id of its sweep.' },
    path: {
      type: 'string',
      description: 'Path in the run; by default the file that has the focus.'
    }
  }
} as const;

const GALLERY_ARGUMENTS = {
  type: 'object',
  properties: {
    project: PROJECT_ARGUMENT,
    sweep: {
      type: 'string',
      description: 'Id of the sweep; by default the one that has the focus.'
    },
    state: { type: 'object', description: 'Which picture, and how large.' }
  }
} as const;

function addGalleryCommands(
  app: JupyterFrontEnd,
  { targets, trans }: IMlops,
  open: (gallery: IGallery) => Promise<void>
): void {
  app.commands.addCommand(CommandIDs.openGallery, {
    label: trans.__('Open Gallery'),
    caption: trans.__('Show the same picture of all runs of the sweep'),
    describedBy: { args: GALLERY_ARGUMENTS },
    isVisible: () => {
      const target = targets.current;
      const isRun = target?.kind === 'run' || target?.kind === 'sweep';
      return isRun && target.sweep.kind === 'sweep';
    },
    execute: async args => {
      const { project, sweep, state } = args;
      const target = targets.current;
      if (typeof project === 'string' && typeof sweep === 'string') {
        await attempt(open({ project, sweep, state: readState(state) }));
      } else if (target?.kind === 'run' || target?.kind === 'sweep') {
        const { store } = target;
        await attempt(
          open({
            project: store.project.path,
            sweep: target.sweep.id,
            state: NO_STATE
          })
        );
      }
    }
  });
  app.commands.addCommand(CommandIDs.compareArtifact, {
    label: trans.__('Compare Picture Across Runs'),
    caption: trans.__('Show the picture beside those of the other runs'),
    describedBy: NO_ARGUMENTS,
    isVisible: () => pictureTarget(targets) !== null,
    execute: async () => {
      const target = pictureTarget(targets);
      if (target) {
        const { path, media_type: type } = target.artifact;
        await attempt(
          open({
            project: target.store.project.path,
            sweep: target.sweep.id,
            state: { ...NO_STATE, source: { kind: 'file', path, type } }
          })
        );
      }
    }
  });
}

async function createFile(
  app: JupyterFrontEnd,
  { stores, targets, trans, client }: IMlops,
  rendermime: IRenderMimeRegistry,
  { project: path, sweep, run, path: file }: IFile
): Promise<FileTab> {
  const project = await client.project(path);
  const { ArtifactTab } = await import('../artifacts/tab');
  const content = new ArtifactTab({
    lease: stores.acquire(project),
    sweep: sweep ?? (await client.run(path, run)).run.sweep_id,
    run,
    path: file,
    commands: app.commands,
    targets,
    rendermime,
    trans
  });
  const tab = new MainAreaWidget({ content });
  tab.id = `mlops-artifact-${project.id}-${run}-${encodeURIComponent(file)}`;
  tab.toolbar.hide();
  return tab;
}

async function openGallery(
  app: JupyterFrontEnd,
  { stores, trans, client, handlers }: IMlops,
  tracker: WidgetTracker<GalleryTab>,
  { project: path, sweep, state }: IGallery
): Promise<void> {
  const known = tracker.find(({ content: { model } }) => {
    return model.id === sweep && model.store.project.path === path;
  });
  if (known) {
    if (state.source) {
      known.content.model.show(state.source);
    }
    app.shell.activateById(known.id);
    return;
  }
  const { contents } = app.serviceManager;
  const project = await client.project(path);
  const { GalleryPanel } = await import('../gallery/panel');
  const content = new GalleryPanel({
    lease: stores.acquire(project),
    id: sweep,
    state,
    readNotebook: async notebook => {
      const options = { type: 'notebook', content: true } as const;
      const file = await contents.get(notebook, options);
      return file.content as INotebookContent;
    },
    handlers,
    trans
  });
  const tab = new MainAreaWidget({ content });
  tab.id = `mlops-gallery-${project.id}-${sweep}`;
  tab.toolbar.hide();
  await tracker.add(tab);
  content.model.stateChanged.connect(() => void tracker.save(tab));
  app.shell.add(tab, 'main', { type: 'MLOps Gallery' });
  app.shell.activateById(tab.id);
}

function givenFile(args: ReadonlyPartialJSONObject): IFile | null {
  const { project, run, sweep, path } = args;
  return typeof project === 'string' &&
    typeof run === 'string' &&
    typeof path === 'string'
    ? { project, run, path, sweep: typeof sweep === 'string' ? sweep : null }
    : null;
}

function fileOf(target: NonNullable<ReturnType<typeof artifactTarget>>): IFile {
  const { store, sweep, run, artifact } = target;
  return {
    project: store.project.path,
    sweep: sweep.id,
    run: run.id,
    path: artifact.path
  };
}

function fileOfTab({ options }: ArtifactTab): IFile {
  const { lease, sweep, run, path } = options;
  return { project: lease.store.project.path, sweep, run, path };
}

function keyOf(tab: ArtifactTab): string {
  const { project, run, path } = fileOfTab(tab);
  return JSON.stringify([project, run, path]);
}
