// JSON objects of unknown structure, and JSON files.

import { check, HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from './files.ts';

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Returns whether a value is a JSON object: neither an array nor null. */
export const isObject = (x: unknown): x is Json => typeof x === 'object' && x !== null && !Array.isArray(x);

/** Returns whether a value is a whole number of at least 0. */
export const isCount = (x: unknown): x is number =>
  typeof x === 'number' && Number.isSafeInteger(x) && x >= 0;

/** The fields of an object that are not undefined. */
export const withoutUndefined = <T>(fields: Readonly<Record<string, T | undefined>>): Record<string, T> =>
  Object.fromEntries(Object.entries(fields).filter((field): field is [string, T] => field[1] !== undefined));

/** Maximum nesting depth. Real files are far below; JSON.stringify fails on much deeper values. */
const maxDepth = 500;

/** Maximum bytes of a JSON file; the largest tokenizers have a quarter of it. */
const maxJson = 64 * 2 ** 20;

/** Maximum bytes of a file of a model by its name: files of text are small. */
export const maxBytesOf = (name: string): number =>
  /\.(?:json|ya?ml)$/i.test(name) ? maxJson : Number.POSITIVE_INFINITY;

/** Reads a JSON object. Throws a HeddleError that names the file if it is not one, or is too large, which is not read. */
export async function readJson(files: Files, path: string): Promise<Record<string, unknown>> {
  checkJsonSize(await files.size?.(path), path);
  return parseJson(await files.read(path), path);
}

const checkJsonSize = (bytes: number | undefined, path: string): void =>
  check((bytes ?? 0) <= maxJson, msg`it has ${bytes} bytes; a JSON file has at most ${maxJson}`, {
    area: path,
    kind: 'input',
  });

/** Parses a JSON object from UTF-8 bytes; `path` is for errors. Throws as `readJson`. */
export function parseJson(bytes: Uint8Array, path: string): Record<string, unknown> {
  checkJsonSize(bytes.length, path);
  if (depthOf(bytes) > maxDepth)
    throw new HeddleError(msg`nesting is deeper than ${maxDepth} levels`, { area: path, kind: 'input' });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HeddleError('not JSON in UTF-8; the file is damaged or cut off', { area: path, kind: 'input' });
  }
  if (!isObject(value)) throw new HeddleError('not a JSON object', { area: path, kind: 'input' });
  return value as Record<string, unknown>;
}

/** Maximum nesting depth of the brackets in a JSON text, without parsing it. */
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

/** A value as an indented JSON file with a final newline. */
export const jsonBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, undefined, 1)}\n`);
