/** The files of a run as the rows of a tree. */
import type { ArtifactView } from '../api/types';

export interface IArtifactRow {
  /** The path of the file or folder. */
  readonly path: string;
  /** The last part of it. */
  readonly name: string;
  /** 1 for the outermost. */
  readonly level: number;
  /** Null for a folder. */
  readonly artifact: ArtifactView | null;
  /** Null for a file. */
  readonly isExpanded: boolean | null;
  /** Bytes of the file, or of all files of the folder; null if some are not known. */
  readonly size: number | null;
}

interface IFolder {
  readonly folders: Map<string, IFolder>;
  readonly files: ArtifactView[];
}

/** The rows from top to bottom: folders first, then files, each by name. */
export function buildRows(
  artifacts: readonly ArtifactView[],
  isExpanded: (folder: string) => boolean
): readonly IArtifactRow[] {
  const root = emptyFolder();
  for (const artifact of artifacts) {
    const parts = artifact.path.split('/').slice(0, -1);
    parts
      .reduce((folder, part) => inner(folder, part), root)
      .files.push(artifact);
  }
  return rowsOf(root, '', 1, isExpanded);
}

function rowsOf(
  folder: IFolder,
  prefix: string,
  level: number,
  isExpanded: (folder: string) => boolean
): readonly IArtifactRow[] {
  const folders = [...folder.folders].sort(byName).flatMap(([name, each]) => {
    const path = prefix + name;
    const row: IArtifactRow = {
      path,
      name,
      level,
      artifact: null,
      isExpanded: isExpanded(path),
      size: sizeOf(each)
    };
    return row.isExpanded
      ? [row, ...rowsOf(each, `${path}/`, level + 1, isExpanded)]
      : [row];
  });
  const files = folder.files.map(artifact => ({
    path: artifact.path,
    name: artifact.path.slice(prefix.length),
    level,
    artifact,
    isExpanded: null,
    size: artifact.size
  }));
  return [...folders, ...files.sort((a, b) => (a.name < b.name ? -1 : 1))];
}

function sizeOf(folder: IFolder): number | null {
  const sizes = [
    ...folder.files.map(each => each.size),
    ...[...folder.folders.values()].map(sizeOf)
  ];
  return sizes.reduce(
    (sum, each) => (sum === null || each === null ? null : sum + each),
    0
  );
}

function inner(folder: IFolder, name: string): IFolder {
  const known = folder.folders.get(name) ?? emptyFolder();
  folder.folders.set(name, known);
  return known;
}

function emptyFolder(): IFolder {
  return { folders: new Map(), files: [] };
}

function byName(
  [left]: readonly [string, unknown],
  [right]: readonly [string, unknown]
): number {
  return left < right ? -1 : 1;
}
