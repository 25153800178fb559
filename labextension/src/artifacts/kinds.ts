/** Which files are shown, how, and how much of them is read for that. */
import type { ArtifactView } from '../api/types';

/** How a file is shown. */
export type Kind =
  | 'html'
  | 'image'
  | 'json'
  | 'markdown'
  | 'notebook'
  | 'svg'
  | 'table'
  | 'text';

const KB = 1000;
const MB = 1000 * KB;

interface ILimit {
  /** Bytes that are read at most. */
  readonly bytes: number;
  /** Whether a part of it says nothing. */
  readonly isWhole: boolean;
}

const LIMITS: Readonly<Record<Kind, ILimit>> = {
  html: { bytes: 2 * MB, isWhole: true },
  image: { bytes: 20 * MB, isWhole: true },
  json: { bytes: 2 * MB, isWhole: true },
  markdown: { bytes: 256 * KB, isWhole: false },
  notebook: { bytes: 20 * MB, isWhole: true },
  svg: { bytes: 5 * MB, isWhole: true },
  table: { bytes: 1 * MB, isWhole: false },
  text: { bytes: 256 * KB, isWhole: false }
};

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['application/json', 'json'],
  ['application/x-ipynb+json', 'notebook'],
  ['image/bmp', 'image'],
  ['image/gif', 'image'],
  ['image/jpeg', 'image'],
  ['image/png', 'image'],
  ['image/svg+xml', 'svg'],
  ['image/webp', 'image'],
  ['text/csv', 'table'],
  ['text/html', 'html'],
  ['text/markdown', 'markdown'],
  ['text/tab-separated-values', 'table']
]);

/** How a file is shown; null if its type is not known to be harmless and readable. */
export function kindOf(mediaType: string): Kind | null {
  const isText = mediaType.startsWith('text/');
  return KINDS.get(mediaType) ?? (isText ? 'text' : null);
}

/** How much of a file is read to show it; null if it is too large for that. */
export function bytesToRead(kind: Kind, size: number | null): number | null {
  const { bytes, isWhole } = LIMITS[kind];
  return isWhole && size !== null && size > bytes ? null : bytes;
}

/** Whether a part of a file is shown where all of it is too large. */
export function showsPart(kind: Kind): boolean {
  return !LIMITS[kind].isWhole;
}

/** Whether it is a picture that can be compared with those of other runs. */
export function isImage(artifact: ArtifactView): boolean {
  return isImageType(artifact.media_type);
}

export function isImageType(mediaType: string): boolean {
  const kind = kindOf(mediaType);
  return kind === 'image' || kind === 'svg';
}

/**
 * Write a picture as an address that holds it.
 *
 * Unlike an object URL it cannot be opened as a page of this origin, in which an SVG would run.
 */
export function dataUrl(mediaType: string, bytes: Uint8Array): string {
  return `data:${mediaType};base64,${base64(bytes)}`;
}

/** Write bytes as base64, piece by piece: a call takes but so many arguments. */
export function base64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += 0x8000) {
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(pieces.join(''));
}
