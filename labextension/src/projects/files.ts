/** Which files of a project its pipeline is written in. */

const PIPELINE_FILE =
  /(^|\/)(dvc\.yaml|dvc\.lock|params\.\w+|\.dvcignore)$|\.dvc$/;
/** What runs and the state of ours are kept in; DVC has nothing to do with it. */
const OURS = /^(runs|\.mlops|\.git)\//;

/** Whether what a file says decides at once which stages there are and which will run. */
export function isPipelineFile(path: string): boolean {
  return PIPELINE_FILE.test(path);
}

/**
 * The path of a file within a project, or null if it lies elsewhere or cannot concern the pipeline.
 *
 * @param path - as JupyterLab knows it, perhaps with the name of a drive
 * @param project - path of the project, relative to the server's root
 */
export function pathInProject(path: string, project: string): string | null {
  const local = path.replace(/^[^/:]+:/, '').replace(/^\//, '');
  const folder = project === '' ? '' : `${project}/`;
  if (!local.startsWith(folder)) {
    return null;
  }
  const inside = local.slice(folder.length);
  return OURS.test(inside) ? null : inside;
}
