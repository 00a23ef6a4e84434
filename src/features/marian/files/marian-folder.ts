// Names of the files of Marian's and Firefox's models.

import type { Files } from '../../../files/files.ts';

/** A name without .gz at its end. */
export const withoutGz = (name: string): string => name.replace(/\.gz$/, '');
/** Whether a file is a model file by its name: model.npz, model.enes.intgemm.alphas.bin.gz. */
export const isModelFile = (name: string): boolean => /^model.*\.(?:npz|bin)(?:\.gz)?$/.test(name);
/** Whether a file is a vocabulary by its name: vocab.spm, srcvocab.enzh.spm.gz. */
export const isVocabulary = (name: string): boolean => /^(?:src|trg)?vocab.*\.spm(?:\.gz)?$/.test(name);
/** Whether a file is a shortlist by its name: lex.50.50.enes.s2t.bin.gz. */
export const isShortlistName = (name: string): boolean => /^lex\..*\.bin(?:\.gz)?$/.test(name);

/** Whether a folder has a model of Marian; false if it cannot be listed. */
export async function isMarianFolder(files: Files, folder: string): Promise<boolean> {
  const names = await Promise.resolve(folder)
    .then(files.list)
    .catch((): string[] => []);
  return names.includes('decoder.yml') || (names.some(isModelFile) && names.some(isVocabulary));
}
