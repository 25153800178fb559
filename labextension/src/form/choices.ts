/** Choosing values of a list by their names. */

/** The items of a comma-separated list; quotes and brackets keep commas together. */
export function splitList(text: string): readonly string[] {
  const items: string[] = [];
  let item = '';
  let depth = 0;
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (quote) {
      if (char === '\\') {
        item += char + text.charAt(++index);
        continue;
      }
      quote = char === quote ? '' : quote;
    } else if (char === '"' || char === "'") {
      quote = char;
    } else if ('([{'.includes(char)) {
      depth += 1;
    } else if (')]}'.includes(char)) {
      depth -= 1;
    } else if (char === ',' && depth <= 0) {
      items.push(item.trim());
      item = '';
      continue;
    }
    item += char;
  }
  return [...items, item.trim()].filter(each => each !== '');
}

/** Whether a value is in the list. */
export function isChosen(text: string, value: string): boolean {
  return splitList(text).includes(value);
}

/** Put a value into the list, or take it out; chosen values keep the order of `values`. */
export function toggleChoice(
  text: string,
  value: string,
  values: readonly string[]
): string {
  const items = splitList(text);
  const rest = items.filter(each => each !== value);
  const next = rest.length < items.length ? rest : [...rest, value];
  const known = values.filter(each => next.includes(each));
  const unknown = next.filter(each => !values.includes(each));
  return [...known, ...unknown].join(', ');
}
