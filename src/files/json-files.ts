// JSON files, read with errors that name them.

import { HeddleError } from '../core/errors.ts';
import { isObject } from '../core/records.ts';
import type { Files } from './files.ts';

/** How deep a file may nest: no real one comes near, and one that is deeper cannot be written again. */
const maxDepth = 500;

/** A JSON object of a file in UTF-8. Throws a HeddleError that names the file where it is none. */
export async function readJson(files: Files, path: string): Promise<Record<string, unknown>> {
  return parseJson(await files.read(path), path);
}

/** As `readJson`, of bytes at hand. */
export function parseJson(bytes: Uint8Array, path: string): Record<string, unknown> {
  if (depthOf(bytes) > maxDepth) throw new HeddleError(`${path}: it nests deeper than ${maxDepth} levels`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HeddleError(`${path}: not JSON in UTF-8; the file may be cut off`);
  }
  if (!isObject(value)) throw new HeddleError(`${path}: not a JSON object`);
  return value as Record<string, unknown>;
}

/** How deep brackets nest in a JSON text, without making anything of it. */
function depthOf(bytes: Uint8Array): number {
  const [quote, backslash] = [0x22, 0x5c];
  let [depth, deepest, inText] = [0, 0, false];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (inText) {
      if (byte === backslash) i++;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === 0x5b || byte === 0x7b)
      deepest = Math.max(deepest, ++depth); // [ {
    else if (byte === 0x5d || byte === 0x7d) depth--; // ] }
  }
  return deepest;
}

/** The bytes of a JSON file for people to read, with a newline at its end. */
export const jsonBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, undefined, 1)}\n`);
