// Reads files of pairs, in threads if they are large.

import { filePath, msg } from '../../core/message.ts';
import { readable } from '../../files/blob-files.ts';
import { type Files, openStream } from '../../files/files.ts';
import { createPace } from '../../session/job-pace.ts';
import { packedPairs } from '../../text/corpus/packed-pairs.ts';
import { pairBlocks } from '../../text/corpus/pair-blocks.ts';
import { nameOfPairs, type PairFiles, pathsOf } from '../../text/corpus/pair-files.ts';
import { checkParsed, describeBad } from '../../text/corpus/pair-records.ts';
import { checkHeldOut, type HeldOut, type Pair } from '../../text/corpus/pairs.ts';
import { openTextPool, type TextPool } from '../../text/text-pool.ts';
import { type ParsedPart, parseTask } from '../../text/text-tasks.ts';
import type { CorpusSession, ReadCorpus } from './corpus-arguments.ts';

/**
 * Reads files of pairs, with at most `references` references each. Bad lines are counted in a message. Throws
 * a HeddleError that starts with the file's name if it is empty, or has no pair.
 */
export async function readPairs(given: PairFiles, session: CorpusSession, references = 1): Promise<Pair[]> {
  const pool = await openTextPool(createPace(session));
  return [...(await readSets(given, session, pool, { references })).train];
}

/**
 * Reads the pairs of a file in memory or of a page: TSV, or the format of its name (`memory.tmx`). Throws as
 * `readPairs`.
 */
export async function readBlobPairs(
  blob: Blob,
  session: Pick<CorpusSession, 'emit' | 'signal' | 'features'>,
): Promise<Pair[]> {
  const name = (blob as Partial<File>).name ?? 'pairs';
  await readable(blob, name);
  const files = { stream: async () => blob.stream(), size: async () => blob.size } as Partial<Files> as Files;
  return readPairs({ files: [name] }, { ...session, files });
}

/** Bytes of files; NaN if one is unknown, as that of stdin. */
export async function bytesOf(files: Files, paths: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const path of paths) bytes += (await files.size?.(path)) ?? Number.NaN;
  return bytes;
}

/** Reads files of pairs as `readPairs`; packed and split by source sentence if `split` is given. */
export async function readSets(
  given: PairFiles,
  { files, emit, features }: CorpusSession,
  pool: TextPool,
  { split, references = 1 }: { readonly split?: HeldOut; readonly references?: number },
): Promise<ReadCorpus & Required<Pick<ReadCorpus, 'fileSizes'>>> {
  if (split) checkHeldOut(split);
  const total = (await bytesOf(files, pathsOf(given))) || 0;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
  };
  const parts: ParsedPart[] = [];
  await pool.run({
    task: parseTask,
    args: { split, shared: pool.parallel },
    chunks: pairBlocks(given, {
      open: (path) => openStream(files, path),
      readers: features.pairReaders,
      references,
      onBytes,
      blockBytes: 2 ** 16,
    }),
    progress: () => ({ task: 'read', done, total }),
    onPart(part, index) {
      parts[index] = part;
    },
  });
  const list = (set: 'train' | 'dev' | 'test') => packedPairs(parts.map(({ sets }) => sets[set]));
  const sets = { train: list('train'), dev: list('dev'), test: list('test') };
  const name = nameOfPairs(given);
  checkParsed(name, parts, sets.train.length + sets.dev.length + sets.test.length);
  for (const file of new Set(parts.map((part) => part.name))) {
    const bad = describeBad(parts.filter((part) => part.name === file).flatMap((part) => part.bad));
    if (bad) emit({ type: 'message', text: msg`${filePath(file)}: ${bad}` });
  }
  // Pairs are counted by their sources.
  const fileSizes = [...new Set([...(given.source ?? []), ...(given.files ?? [])])].map((path) =>
    parts.reduce((n, part) => (part.name === path ? n + part.sets.train.length : n), 0),
  );
  return { ...sets, fileSizes };
}
