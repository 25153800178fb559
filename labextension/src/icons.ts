/** Our icons. */
import { LabIcon } from '@jupyterlab/ui-components';

import graphSvg from '../style/icons/graph.svg';
import mlopsSvg from '../style/icons/mlops.svg';

/** The panel, and sweeps. */
export const mlopsIcon = new LabIcon({
  name: 'jupyter-mlops:mlops',
  svgstr: mlopsSvg
});

/** The pipeline. */
export const graphIcon = new LabIcon({
  name: 'jupyter-mlops:graph',
  svgstr: graphSvg
});
