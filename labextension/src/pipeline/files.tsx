/** The files that a stage needs and makes, and its metrics. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { FileView, MetricChange, StageDetail } from '../api/types';
import { formatFull, formatNumber, formatSize } from '../format';
import { decode, decodeNumber } from '../values';

interface IFilesProps {
  readonly title: string;
  readonly files: readonly FileView[];
  readonly trans: TranslationBundle;
  readonly onOpen: (path: string) => void;
}

/** Each with its size and what has become of it since dvc.lock was written. */
export function Files(props: IFilesProps): ReactElement | null {
  const { title, files, trans } = props;
  return files.length > 0 ? (
    <section className="jp-Mlops-sheetPart">
      <h3>{title}</h3>
      <table className="jp-Mlops-files">
        <tbody>
          {files.map(file => (
            <tr key={`${file.kind} ${file.path}`} data-path={file.path}>
              <td>
                <FileName {...props} file={file} />
                {file.kind === 'parameters' && <Values values={file.values} />}
              </td>
              <td className="jp-Mlops-change" data-change={file.change}>
                {file.change ?? ''}
              </td>
              <td className="jp-Mlops-number jp-Mlops-muted">
                {sizeText(file, trans)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  ) : null;
}

function FileName(
  props: IFilesProps & { readonly file: FileView }
): ReactElement {
  const { file, onOpen, trans } = props;
  const title = file.hash ? `${file.path}\n${file.hash}` : file.path;
  return file.exists && file.kind !== 'folder' && file.kind !== 'remote' ? (
    <button
      className="jp-Mlops-link"
      title={`${title}\n${trans.__('Open')}`}
      onClick={() => onOpen(file.path)}
    >
      {file.path}
    </button>
  ) : (
    <span title={title}>{file.path}</span>
  );
}

/** The values of parameters by name. */
function Values(props: { readonly values: FileView['values'] }): ReactElement {
  return (
    <dl className="jp-Mlops-values">
      {Object.entries(props.values).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{formatFull(decode(value))}</dd>
        </div>
      ))}
    </dl>
  );
}

function sizeText(file: FileView, trans: TranslationBundle): string {
  const size = file.size === null ? '' : formatSize(file.size, trans);
  const count =
    file.files === null ? '' : trans._n('%1 file', '%1 files', file.files);
  return [count, size].filter(Boolean).join(', ');
}

/** The metrics now and in the last commit. */
export function Metrics(props: {
  readonly metrics: StageDetail['metrics'];
  readonly trans: TranslationBundle;
}): ReactElement | null {
  const { metrics, trans } = props;
  return metrics.length > 0 ? (
    <section className="jp-Mlops-sheetPart">
      <h3>{trans.__('Metrics')}</h3>
      <table className="jp-Mlops-files jp-Mlops-metrics">
        <thead>
          <tr>
            <th scope="col">{trans.__('Metric')}</th>
            <th scope="col">{trans.__('Now')}</th>
            <th scope="col">{trans.__('Last commit')}</th>
            <th scope="col">{trans.__('Change')}</th>
          </tr>
        </thead>
        <tbody>
          {metrics.map(metric => (
            <tr key={`${metric.path} ${metric.name}`}>
              <td title={metric.path}>{metric.name}</td>
              <Value value={metric.value} />
              <Value value={metric.before} />
              <td className="jp-Mlops-number">{changeText(metric)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  ) : null;
}

function Value(props: { readonly value: unknown }): ReactElement {
  const value = decode(props.value);
  return (
    <td className="jp-Mlops-number" title={formatFull(value)}>
      {value === null
        ? '–'
        : typeof value === 'number'
          ? formatNumber(value)
          : formatFull(value)}
    </td>
  );
}

/** How much a metric has risen or fallen. */
function changeText({ value, before }: MetricChange): string {
  const [now, then] = [decodeNumber(value), decodeNumber(before)];
  if (now === null || then === null) {
    return '';
  }
  const change = now - then;
  if (change === 0) {
    return '=';
  }
  return `${change > 0 ? '▲ +' : '▼ '}${formatNumber(change)}`;
}
