// Trains a SentencePiece model on files of texts or pairs, and writes its files: the job of `heddle tokenizer`.

import { check } from '../core/errors.ts';
import { openStream, writeTogether } from '../files/files.ts';
import { jsonBytes } from '../files/json-files.ts';
import type { Job } from '../session/job.ts';
import { createPace } from '../session/job-pace.ts';
import { pairBlocks } from '../text/corpus/pair-blocks.ts';
import { type PairFiles, pathsOf } from '../text/corpus/pair-files.ts';
import { loadTokenizer } from '../text/load-tokenizer.ts';
import { startPieces } from '../text/open-tokenizer.ts';
import { maxCountedTexts } from '../text/sentencepiece/piece-options.ts';
import { tokenizerWithoutStart, withoutStart } from '../text/sentencepiece/pieces-without-start.ts';
import { openTextPool } from '../text/text-pool.ts';
import { countTextsTask, type TokenizerOptions, trainTokenizerTask } from '../text/text-tasks.ts';

/** Arguments of the job; plain JSON. */
export interface TokenizerArguments {
  /** Texts, one per line, or pairs. */
  readonly texts: PairFiles;
  /** The sides of pairs that are read. */
  readonly side: 'source' | 'target' | 'both';
  readonly options: TokenizerOptions;
  /** Special tokens of the written model: heddle's pad, start, end and unknown, or Marian's end and unknown. */
  readonly special: 'heddle' | 'marian';
  /** The files are OUT.model and OUT.json. */
  readonly out: string;
  /** Number of threads; 0: only the thread of the job. [those of the host] */
  readonly threads?: number;
}

/** Result of the job; plain JSON. */
export interface TrainedTokenizer {
  readonly model: string;
  readonly json: string;
  readonly pieces: number;
  /** Number of texts that were counted. */
  readonly texts: number;
}

/** Bytes of a text, roughly: the number of texts of large files follows from their size. */
const textBytes = 64;

/** Trains and writes the model. Throws a HeddleError if the files have no text. */
export const trainTokenizerFiles: Job<TokenizerArguments, TrainedTokenizer> = async (args, session) => {
  const { texts: given, side, out, threads } = args;
  const isMarian = args.special === 'marian';
  // As many pieces as asked for are left.
  const options = isMarian ? { ...args.options, size: args.options.size + startPieces } : args.options;
  const { files } = session;
  const pool = await openTextPool(
    createPace(session),
    threads === 0 ? undefined : session.threads,
    session.signal,
  );
  try {
    const sizes = await Promise.all(pathsOf(given).map((path) => files.size?.(path)));
    const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    const every = Math.max(1, Math.ceil(total / textBytes / maxCountedTexts));
    let [done, texts] = [0, 0];
    const tables = await pool.run({
      task: countTextsTask,
      args: { options, side, every },
      chunks: pairBlocks(given, {
        open: (path) => openStream(files, path),
        readers: session.features.pairReaders,
        onBytes: (bytes) => {
          done += bytes;
        },
      }),
      progress: () => ({ task: 'count texts', done, total }),
      onPart(count) {
        texts += count;
      },
      threads,
    });
    check(texts > 0, 'the files have no text', { area: 'tokenizer' });
    let json = '';
    await pool.run({
      task: trainTokenizerTask,
      args: options,
      chunks: [tables.flat()],
      onPart(result) {
        json = result;
      },
      threads,
    });
    const trained = loadTokenizer(json);
    const paths = { model: `${out}.model`, json: `${out}.json` };
    check(trained.modelFile !== undefined, 'only SentencePiece models are written', { area: 'tokenizer' });
    const file = isMarian ? withoutStart(trained.modelFile) : trained.modelFile;
    const written = isMarian ? tokenizerWithoutStart(trained.modelFile, paths.model) : trained;
    await writeTogether(files, { [paths.model]: file, [paths.json]: jsonBytes(written) });
    return { ...paths, pieces: written.size, texts };
  } finally {
    pool.close();
  }
};
