/** Measures texts as the page draws them. */
import type { Measure } from './sizes';

/** Measure in the fonts of the page; each text once. */
export function createMeasure(): Measure {
  const context = document.createElement('canvas').getContext('2d');
  const fonts = {
    large: `600 ${fontOf('var(--jp-ui-font-size1)')}`,
    small: fontOf('var(--jp-ui-font-size0)')
  };
  const known = new Map<string, number>();
  return (text, isSmall) => {
    const font = isSmall ? fonts.small : fonts.large;
    const key = font + text;
    let width = known.get(key);
    if (width === undefined && context) {
      context.font = font;
      width = context.measureText(text).width;
      known.set(key, width);
    }
    return width ?? 0;
  };
}

/** Size and family of a text in a tab; themes give sizes in units of their own. */
function fontOf(size: string): string {
  const outer = document.body.appendChild(document.createElement('div'));
  outer.style.font = 'var(--jp-ui-font-size1) var(--jp-ui-font-family)';
  const inner = outer.appendChild(document.createElement('span'));
  inner.style.fontSize = size;
  const { fontSize, fontFamily } = getComputedStyle(inner);
  outer.remove();
  return `${fontSize || '13px'} ${fontFamily || 'sans-serif'}`;
}
