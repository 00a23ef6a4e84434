// The golden cases of guests: what `heddle verify` knows of each kind before its code is loaded.

import type { Files } from '../files/files.ts';
import { readJson } from '../files/json-files.ts';
import type { FindReader, GoldenReader } from './jobs/verify/golden-reader.ts';
import { verifyWith } from './jobs/verify/verify-job.ts';

/** A kind of golden case. */
interface GoldenKind {
  /** Whether a folder, which has a batch and results, is such a case. */
  matches(files: Files, folder: string): Promise<boolean>;
  load(): Promise<GoldenReader>;
}

const goldenKinds: readonly GoldenKind[] = [
  {
    matches: (files, folder) => files.exists(`${folder}/decoder.yml`),
    load: async () => (await import('../features/marian/commands/golden-marian.ts')).marianCases,
  },
  {
    async matches(files, folder) {
      const path = `${folder}/config.json`;
      return (await files.exists(path)) && (await readJson(files, path)).model_type === 'whisper';
    },
    load: async () => (await import('../features/speech/commands/golden-whisper.ts')).whisperCases,
  },
];

/** Finds the reader of a golden case of a guest. */
export const findReader: FindReader = async (files, folder) => {
  for (const name of ['batch.safetensors', 'expected.safetensors'])
    if (!(await files.exists(`${folder}/${name}`))) return undefined;
  for (const kind of goldenKinds) if (await kind.matches(files, folder)) return kind.load();
  return undefined;
};

/** The job of `heddle verify`, with the golden cases of all guests. */
export const verify = verifyWith(findReader);
