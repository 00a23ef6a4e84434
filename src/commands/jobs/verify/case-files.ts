// The files of a golden case of transformers: the batch, and the expected results with the fields of its decoding.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { Tensor } from '../../../core/tensor.ts';
import type { DecodeOptions } from '../../../decode/decode-options.ts';
import type { Files } from '../../../files/files.ts';
import { readSafetensors, readSafetensorsHeader } from '../../../files/safetensors.ts';
import { idsIn } from './golden-case.ts';

/** What the files of a case hold. */
export interface CaseFiles {
  /** Path of a file of the case. */
  at(name: string): string;
  readonly batch: Readonly<Record<string, Tensor>>;
  readonly expected: Readonly<Record<string, Tensor>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Token ids [rows, positions] of the batch. Throws a HeddleError if they are missing. */
  ids(name: string): Tensor;
  /** A field of the metadata, or its default. Throws a HeddleError if it is no number. */
  number(field: string, fallback: number): number;
  /** The beam search, if the case has its results. */
  readonly beam: DecodeOptions | undefined;
}

/** Reads the files. Throws a HeddleError that names the file and the problem. */
export async function readCaseFiles(files: Files, folder: string): Promise<CaseFiles> {
  const at = (name: string) => `${folder}/${name}`;
  const batch = readSafetensors(await files.read(at('batch.safetensors')), at('batch.safetensors'));
  const path = at('expected.safetensors');
  const bytes = await files.read(path);
  const expected = readSafetensors(bytes, path);
  const { metadata } = readSafetensorsHeader(bytes, bytes.length, path);
  const earlyStopping = metadata.early_stopping?.toLowerCase().replaceAll('"', '');
  const number = (field: string, fallback: number): number => {
    const value = Number(metadata[field] ?? fallback);
    check(Number.isFinite(value), msg`${field} is ${metadata[field]}, it must be a number`, { area: path });
    return value;
  };
  return {
    at,
    batch,
    expected,
    metadata,
    ids: (name) => idsIn(batch, name, at('batch.safetensors')),
    number,
    beam: expected.beam && {
      method: 'beam',
      beams: number('num_beams', 1),
      lengthPenalty: { power: number('length_penalty', 1) },
      earlyStopping: earlyStopping === 'never' ? 'never' : earlyStopping === 'true',
    },
  };
}
