// JSON files, read with errors that name them.

import { HeddleError } from '../errors.ts';
import type { Files } from './files.ts';

/** A JSON object of a file in UTF-8. Throws a HeddleError that names the file where it is none. */
export async function readJson(files: Files, path: string): Promise<Record<string, unknown>> {
  return parseJson(await files.read(path), path);
}

/** As `readJson`, of bytes at hand. */
export function parseJson(bytes: Uint8Array, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new HeddleError(`${path}: not JSON in UTF-8; the file may be cut off`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HeddleError(`${path}: not a JSON object`);
  return value as Record<string, unknown>;
}

/** The bytes of a JSON file for people to read, with a newline at its end. */
export const jsonBytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value, undefined, 1)}\n`);
