// Configuration files of commands: YAML, of which JSON is a part.

import { load } from 'js-yaml';
import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Files } from '../../files/files.ts';
import { isObject, type Json } from '../../files/json-files.ts';
import { readInputText } from '../../files/read-input.ts';

/** Reads the fields of a file. Throws a HeddleError that names the file; `example`: of a file with fields. */
export async function readYamlFields(files: Files, path: string, example: string): Promise<Json> {
  const text = await readInputText(files, path);
  let json: unknown;
  try {
    json = load(text);
  } catch (error) {
    throw new HeddleError(msg`neither YAML nor JSON: ${(error as Error).message.split('\n')[0]}`, {
      area: path,
    });
  }
  if (!isObject(json)) throw new HeddleError(msg`it has no fields; ${example}`, { area: path });
  return json;
}
