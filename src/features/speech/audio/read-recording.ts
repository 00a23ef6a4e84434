// Recordings on disk: what is no WAV file by its first bytes is not read.

import { type Files, openBlob } from '../../../files/files.ts';
import { readInput } from '../../../files/read-input.ts';
import { checkWav } from './wav.ts';

/** Maximum bytes of a recording: three hours of 48 kHz stereo have 2 GB. */
export const maxRecording = 2 ** 31;

/** The bytes of a WAV file. Throws a HeddleError that names it if it is another file, or has more than 2 GiB. */
export async function readRecording(files: Files, path: string): Promise<Uint8Array> {
  const isFile = (await files.size?.(path)) !== undefined;
  if (isFile) {
    const head = (await openBlob(files, path)).slice(0, 12);
    checkWav(new Uint8Array(await head.arrayBuffer()), path);
  }
  return readInput(files, path, maxRecording);
}
