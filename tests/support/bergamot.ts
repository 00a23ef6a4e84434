// Marian's own engine in Node: bergamot-translator's wasm, run by bergamot.cjs in a process of its own.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Folder of the package; undefined if neither the project nor bench/decode has installed it. */
export const bergamotEngine = ['node_modules', 'bench/decode/node_modules']
  .map((folder) => `${folder}/@browsermt/bergamot-translator`)
  .find((folder) => existsSync(folder));

/** Files of a translation: the model, the vocabularies of both sides, the texts, and a shortlist if there is one. */
export type BergamotFiles = readonly [
  model: string,
  source: string,
  target: string,
  texts: string,
  shortlist?: string,
];

/** Options of the engine that tests set. */
export interface BergamotOptions {
  /** Default 1. Without its softmax the engine chooses the same token, but not the same beam. */
  readonly beams?: number;
  /** Longest translation in tokens for each token of the source. Default 2. */
  readonly lengthFactor?: number;
  readonly precision?: 'float32' | 'int8shiftAll' | 'int8shiftAlphaAll';
}

/** The translations of a file of texts, a line for each. */
export function bergamotLines(
  files: BergamotFiles,
  { beams = 1, lengthFactor = 2, precision = 'float32' }: BergamotOptions = {},
): string[] {
  const options = [
    ...[`beam-size: ${beams}`, 'normalize: 1', 'word-penalty: 0', `max-length-factor: ${lengthFactor}`],
    ...[`skip-cost: ${beams === 1}`, `gemm-precision: ${precision}`, 'cpu-threads: 0'],
    ...['max-length-break: 128', 'mini-batch-words: 1024', 'workspace: 64', 'alignment: soft'],
    ...['quiet: true', 'quiet-translation: true', ''],
  ].join('\n');
  const words = ['tests/support/bergamot.cjs', bergamotEngine ?? '', options, ...files];
  const found = execFileSync('node', words as string[], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return found.split('\n').slice(0, -1);
}
