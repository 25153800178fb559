/** The theme's colours, for what is drawn outside of style sheets. */
import type { IPalette } from './chart';

export function readPalette(): IPalette {
  const style = getComputedStyle(document.body);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: read('--jp-ui-font-color1'),
    muted: read('--jp-ui-font-color2'),
    grid: read('--jp-border-color2'),
    best: read('--jp-brand-color1'),
    selected: read('--jp-warn-color1'),
    other: read('--jp-ui-font-color3'),
    font: read('--jp-ui-font-family'),
    fontSize: parseFloat(read('--jp-ui-font-size1')) || 13
  };
}
