/** The tree of what a run kept, and what is known of the chosen file. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, fileIcon, folderIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import type { ArtifactView } from '../api/types';
import { CommandIDs } from '../commands';
import { useSignal } from '../components/hooks';
import { Toolbar } from '../components/toolbar';
import { Tree, TreeRow } from '../components/tree';
import { formatSize } from '../format';
import { isImage, kindOf } from './kinds';
import type { ArtifactsModel } from './model';
import type { IArtifactRow } from './rows';

/** What can be done with a file. */
export interface IArtifactHandlers {
  /** The row got the focus. */
  readonly select: (artifact: ArtifactView) => void;
  /** The row's menu is about to open. */
  readonly point: (artifact: ArtifactView) => void;
  /** Run a command on the file. */
  readonly execute: (command: string, artifact: ArtifactView) => void;
}

interface IProps {
  readonly model: ArtifactsModel;
  readonly trans: TranslationBundle;
  readonly handlers: IArtifactHandlers;
}

export function ArtifactTree(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { rows, problem, view } = model;
  return (
    <>
      {problem !== null && (
        <div className="jp-Mlops-problem" role="alert">
          <span>{problem}</span>
          <Button small onClick={() => void model.load()}>
            {trans.__('Retry')}
          </Button>
        </div>
      )}
      {rows.length === 0 && problem === null && (
        <p className="jp-Mlops-empty">
          {view ? trans.__('It has kept nothing yet.') : trans.__('Loading…')}
        </p>
      )}
      {rows.length > 0 && (
        <Tree label={trans.__('Artifacts')} keys={rows.map(each => each.path)}>
          {rows.map(row => (
            <Row key={row.path} {...props} row={row} />
          ))}
        </Tree>
      )}
      {view?.more && (
        <p className="jp-Mlops-empty">
          {trans.__('There are more files than these.')}
        </p>
      )}
    </>
  );
}

function Row(props: IProps & { readonly row: IArtifactRow }): ReactElement {
  const { model, trans, handlers, row } = props;
  const { artifact, isExpanded, path, size } = row;
  const Icon = artifact ? fileIcon : folderIcon;
  return (
    <TreeRow
      id={path}
      level={row.level}
      isExpanded={isExpanded}
      className={artifact ? 'jp-Mlops-artifact' : 'jp-Mlops-artifactFolder'}
      data={{
        'data-path': path,
        'data-chosen': String(artifact !== null && path === model.chosen?.path)
      }}
      title={path}
      onOpen={() => {
        if (artifact) {
          handlers.select(artifact);
          void model.choose(artifact);
        } else {
          model.expand(path, !isExpanded);
        }
      }}
      onExpand={is => model.expand(path, is)}
      onSelect={() => artifact && handlers.select(artifact)}
      onMenu={() => artifact && handlers.point(artifact)}
      lead={<Indent row={row} />}
    >
      <span className="jp-Mlops-line">
        <Icon.react tag="span" className="jp-Mlops-fileIcon" />
        <span className="jp-Mlops-ellipsis jp-Mlops-fileName">{row.name}</span>
        <span className="jp-Mlops-number jp-Mlops-muted">
          {size === null ? '' : formatSize(size, trans)}
        </span>
      </span>
    </TreeRow>
  );
}

/** What stands below a folder stands right of it; only folders have a caret. */
function Indent(props: { readonly row: IArtifactRow }): ReactElement {
  const { level, artifact } = props.row;
  const carets = artifact && level > 1 ? 1 : 0;
  return <span style={{ flex: 'none', width: (level - 1 + carets) * 16 }} />;
}

/** The chosen file's name, size and hash, and what can be done with it. */
export function ArtifactHead(
  props: IProps & {
    /** Whether there are other runs to compare it with. */
    readonly isOfSweep: () => boolean;
    /** Whether it has a tab of its own. */
    readonly isTab: boolean;
  }
): ReactElement | null {
  const { model, trans, handlers } = props;
  useSignal(model.changed);
  const { chosen } = model;
  if (!chosen) {
    return null;
  }
  const size = chosen.size === null ? '' : formatSize(chosen.size, trans);
  return (
    <section
      className="jp-Mlops-artifactHead"
      aria-label={trans.__('Chosen file')}
    >
      <div className="jp-Mlops-line">
        <strong className="jp-Mlops-ellipsis" title={chosen.path}>
          {chosen.path}
        </strong>
        <span className="jp-Mlops-number jp-Mlops-muted">{size}</span>
      </div>
      <Hash {...props} />
      <Toolbar label={trans.__('Actions on the file')}>
        {!props.isTab && kindOf(chosen.media_type) !== null && (
          <Button
            small
            onClick={() => handlers.execute(CommandIDs.openArtifact, chosen)}
          >
            {trans.__('Open in a tab')}
          </Button>
        )}
        <Button
          small
          onClick={() => handlers.execute(CommandIDs.downloadArtifact, chosen)}
        >
          {trans.__('Download')}
        </Button>
        {props.isOfSweep() && isImage(chosen) && (
          <Button
            small
            onClick={() => handlers.execute(CommandIDs.compareArtifact, chosen)}
          >
            {trans.__('Compare across runs')}
          </Button>
        )}
      </Toolbar>
    </section>
  );
}

function Hash(props: IProps): ReactElement {
  const { model, trans } = props;
  const { sha256, isHashing } = model;
  if (sha256 !== null) {
    return (
      <div className="jp-Mlops-muted jp-Mlops-ellipsis" title={sha256}>
        {trans.__('sha256')} <code>{sha256}</code>
      </div>
    );
  }
  return (
    <div className="jp-Mlops-muted">
      {trans.__('sha256')}{' '}
      {isHashing ? (
        trans.__('is being computed…')
      ) : (
        <Button small minimal onClick={() => void model.hash()}>
          {trans.__('Compute')}
        </Button>
      )}
    </div>
  );
}
