// The check that a model folder has a file.

import { HeddleError } from '../core/errors.ts';
import { msg } from '../core/message.ts';
import type { Files } from './files.ts';
import { modelFileNames as names } from './model-file.ts';

/** Throws a HeddleError if a file of a model folder is missing. */
export async function requireFile(files: Files, folder: string, name: string): Promise<void> {
  if (await files.exists(`${folder}/${name}`)) return;
  throw new HeddleError(
    msg`${name} is missing; a model folder has ${names.config}, ${names.weights} and ${names.tokenizer} (or ${names.source} and ${names.target})`,
    { area: folder, kind: 'not-found' },
  );
}
