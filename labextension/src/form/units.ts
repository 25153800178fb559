/** Reading what people type for sizes, times and counts. */

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40
};

const SECONDS: Readonly<Record<string, number>> = {
  '': 1,
  s: 1,
  min: 60,
  h: 3600
};

/** Read `2GB` or `512 MiB` as bytes; null if it cannot be read. */
export function parseBytes(text: string): number | null {
  const bytes = measure(text, UNITS);
  return bytes === null || bytes < 1 ? null : Math.round(bytes);
}

/** Read `90`, `90 s`, `10 min` or `2h` as seconds; null if it cannot be read. */
export function parseSeconds(text: string): number | null {
  const seconds = measure(text, SECONDS);
  return seconds === 0 ? null : seconds;
}

/** Read a whole number from `least` on; null if it cannot be read. */
export function parseCount(text: string, least: number): number | null {
  const trimmed = text.trim();
  const count = Number(trimmed);
  return /^[+-]?\d+$/.test(trimmed) &&
    count >= least &&
    Number.isSafeInteger(count)
    ? count
    : null;
}

function measure(
  text: string,
  units: Readonly<Record<string, number>>
): number | null {
  const found = /^(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)$/i.exec(text.trim());
  const unit = units[found?.[2]?.toLowerCase() ?? '?'];
  return found && unit !== undefined ? Number(found[1]) * unit : null;
}
