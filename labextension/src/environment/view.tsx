/** The section of the environment: this machine, and the clusters that runs can go to. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { ExecutorNode, ExecutorView } from '../api/types';
import { useSignal } from '../components/hooks';
import { formatSize } from '../format';
import type { EnvironmentModel } from './model';
import { busyText, safeLink, stateText } from './words';

/** This many nodes are listed. */
const LISTED = 100;

interface IProps {
  readonly model: EnvironmentModel;
  readonly trans: TranslationBundle;
}

export function EnvironmentView(props: IProps): ReactElement {
  const { model, trans } = props;
  useSignal(model.changed);
  const { clusters, executors, problem, status } = model;
  if (!executors) {
    return <p className="jp-Mlops-empty">{problem ?? trans.__('Loading…')}</p>;
  }
  const local = executors.find(({ remote }) => !remote);
  return (
    <div className="jp-Mlops-section" aria-busy={problem !== null}>
      <section
        className="jp-Mlops-executor"
        aria-label={trans.__('This machine')}
      >
        <div className="jp-Mlops-line">
          <strong className="jp-Mlops-ellipsis">
            {trans.__('This machine')}
          </strong>
          {local?.default && clusters.length > 0 && <Default trans={trans} />}
          {status && (
            <span
              className="jp-Mlops-number"
              title={trans.__('Cores that runs hold')}
            >
              {busyText(status.cores_held, status.cores, trans)}
            </span>
          )}
        </div>
        {clusters.length === 0 && (
          <p className="jp-Mlops-muted">
            {trans.__(
              'All runs are executed here. Name a cluster in mlops.toml to send them there.'
            )}
          </p>
        )}
      </section>
      {clusters.map(cluster => (
        <Cluster key={cluster.name} cluster={cluster} trans={trans} />
      ))}
    </div>
  );
}

function Default(props: { readonly trans: TranslationBundle }): ReactElement {
  return <span className="jp-Mlops-muted">{props.trans.__('default')}</span>;
}

function Cluster(props: {
  readonly cluster: ExecutorView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { cluster, trans } = props;
  const { name, nodes, problem } = cluster;
  const link = safeLink(cluster.dashboard);
  const state = stateText(cluster, trans);
  return (
    <section
      className="jp-Mlops-executor"
      aria-label={name}
      data-executor={name}
    >
      <div className="jp-Mlops-line">
        <strong className="jp-Mlops-ellipsis">{name}</strong>
        {cluster.default && <Default trans={trans} />}
        {nodes.length > 0 && (
          <span
            className="jp-Mlops-number"
            title={trans.__('Cores that runs hold')}
          >
            {busyText(
              nodes.reduce((sum, each) => sum + busy(each), 0),
              nodes.reduce((sum, each) => sum + each.cores, 0),
              trans
            )}
          </span>
        )}
      </div>
      <div className="jp-Mlops-line">
        {cluster.runs_on !== null && (
          <span
            className="jp-Mlops-muted jp-Mlops-ellipsis"
            title={cluster.runs_on}
          >
            {cluster.runs_on}
          </span>
        )}
        {link !== null && (
          <a
            className="jp-Mlops-link"
            href={link}
            target="_blank"
            rel="noopener noreferrer"
            aria-label={trans.__('Dashboard of %1', name)}
            title={trans.__('Opens in a new tab of the browser')}
          >
            {trans.__('Dashboard')}
          </a>
        )}
      </div>
      {problem !== null && <p className="jp-Mlops-executorError">{problem}</p>}
      {state !== null && <p className="jp-Mlops-muted">{state}</p>}
      {nodes.length > 0 && <Nodes {...props} />}
      {cluster.unused.length > 0 && (
        <ul aria-label={trans.__('Workers that are not used')}>
          {cluster.unused.slice(0, LISTED).map(line => (
            <li key={line}>{trans.__('Not used: %1', line)}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The nodes of a cluster, one a row. */
function Nodes(props: {
  readonly cluster: ExecutorView;
  readonly trans: TranslationBundle;
}): ReactElement {
  const { cluster, trans } = props;
  const { name, nodes } = cluster;
  const hasGpus = nodes.some(({ gpus }) => gpus > 0);
  const more = nodes.length - LISTED;
  return (
    <>
      <table
        className="jp-Mlops-nodes"
        aria-label={trans.__('Nodes of %1', name)}
      >
        <thead>
          <tr>
            <th scope="col">{trans._n('%1 node', '%1 nodes', nodes.length)}</th>
            <th scope="col" title={trans.__('Cores that runs hold')}>
              {trans.__('Cores')}
            </th>
            {hasGpus && <th scope="col">{trans.__('GPUs')}</th>}
            <th scope="col">{trans.__('Memory')}</th>
          </tr>
        </thead>
        <tbody>
          {nodes.slice(0, LISTED).map((node, index) => (
            // Two nodes may have one name.
            <tr key={`${node.name} ${index}`} data-node={node.name}>
              <th scope="row" title={node.name}>
                {node.name}
              </th>
              <td className="jp-Mlops-number">
                {`${busy(node)}/${node.cores}`}
              </td>
              {hasGpus && (
                <td className="jp-Mlops-number">
                  {`${node.gpus - node.gpus_free}/${node.gpus}`}
                </td>
              )}
              <td
                className="jp-Mlops-number"
                title={trans.__(
                  '%1 are reserved by runs',
                  formatSize(node.memory - node.memory_free, trans)
                )}
              >
                {formatSize(node.memory, trans)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && (
        <p className="jp-Mlops-muted">
          {trans._n('%1 more node', '%1 more nodes', more)}
        </p>
      )}
    </>
  );
}

function busy(node: ExecutorNode): number {
  return node.cores - node.cores_free;
}
