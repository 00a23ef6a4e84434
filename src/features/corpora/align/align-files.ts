// Word alignments of files of pairs, in the format of fast_align and eflomal: the job of `heddle align`.

import { check } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { runPaced } from '../../../core/steps.ts';
import { formatLinks, type WordLinks } from '../../../decode/word-links.ts';
import { type Files, openStream, writeTogether } from '../../../files/files.ts';
import { maxLines, readInputText } from '../../../files/read-input.ts';
import type { Job } from '../../../session/job.ts';
import { createPace } from '../../../session/job-pace.ts';
import { openModel } from '../../../session/open-model.ts';
import type { Session } from '../../../session/session.ts';
import { pairBlocks } from '../../../text/corpus/pair-blocks.ts';
import { nameOfPairs, type PairFiles } from '../../../text/corpus/pair-files.ts';
import { linesOf, textsOfBlock } from '../../../text/corpus/pair-records.ts';
import { type Pair, sampleEvenly } from '../../../text/corpus/pairs.ts';
import { wordsOf } from '../../../text/tokenizers/token-words.ts';
import { lexicalTable, lexiconSteps, symmetrized, WordAligner } from './lexicon.ts';
import { AlignmentError, openModelAligner } from './model-alignment.ts';
import { parseLinks } from './pharaoh.ts';

/** Arguments of the job; plain JSON. */
export interface AlignArguments {
  readonly pairs: PairFiles;
  /** File of alignments: a line for each line of the pairs. */
  readonly out: string;
  /** Folder of a model whose tokenizers split the texts: their pieces are aligned. [words between spaces] */
  readonly pieces?: string;
  /** File of the lexicon as text: target, source, probability. [none] */
  readonly table?: string;
  /** Folder of a model whose cross-attention aligns the words. [a lexicon of the pairs] */
  readonly model?: string;
  /** File of alignments of the same pairs, to compare with. [none] */
  readonly compare?: string;
}

/** Result of the job; plain JSON. */
export interface AlignedPairs {
  readonly out: string;
  readonly pairs: number;
  /** Number of links. */
  readonly links: number;
  /** Alignment error rate, from 0 to 1, if the links are compared. */
  readonly errorRate?: number;
}

/** Maximum number of pairs that the lexicons are trained on. */
const maxPairs = 200_000;

/** Functions from the texts of both sides to their pieces with spaces between them. */
async function piecesOf(folder: string, session: Session) {
  const { source, target } = await openModel(folder, session);
  return [source, target].map(
    (side) => (text: string) =>
      side
        .encode(text)
        .map((id) => side.token(id))
        .join(' '),
  );
}

/** Aligns a pair. */
type Aligns = (pair: Pair) => Promise<WordLinks>;

/** Aligns by lexicons of the pairs in both directions, which are joined; with the text of the lexical table. */
async function lexiconAligner(
  pairs: readonly Pair[],
  { pairs: given, pieces }: AlignArguments,
  session: Session,
): Promise<{ readonly align: Aligns; table(): string }> {
  const options = { exact: pieces !== undefined };
  const pace = createPace(session);
  const full = pairs.filter(({ source, target }) => source.trim() !== '' && target.trim() !== '');
  check(full.length > 0, 'no line is a valid pair', { area: nameOfPairs(given) });
  const swapped = (list: readonly Pair[]) =>
    list.map(({ source, target }) => ({ source: target, target: source }));
  const sample = sampleEvenly(full, maxPairs);
  const lexicon = await runPaced(lexiconSteps(sample, options), pace);
  const forward = new WordAligner(lexicon, options);
  const backward = new WordAligner(await runPaced(lexiconSteps(swapped(sample), options), pace), options);
  return {
    async align({ source, target }) {
      const [s, t] = [wordsOf(source), wordsOf(target)];
      return symmetrized(forward.align(s, t), backward.align(t, s));
    },
    table: () => lexicalTable(lexicon),
  };
}

/** The alignments in a file, one for each pair. Throws a HeddleError if it has another number of lines. */
async function readAlignments(path: string, count: number, files: Files): Promise<WordLinks[]> {
  const lines = linesOf(await readInputText(files, path, maxLines));
  check(lines.length === count, () => msg`it has ${lines.length} lines, there are ${count} pairs`, {
    area: path,
  });
  return lines.map((line, i) => parseLinks(line, `${path}: line ${i + 1}`));
}

/**
 * Aligns the pairs by a lexicon of both directions, or by a model. Throws a HeddleError if there are no pairs, or the
 * alignments to compare with are of others.
 */
export const alignFiles: Job<AlignArguments, AlignedPairs> = async (args, session) => {
  const { pairs: given, out, pieces, table, model, compare } = args;
  const { files } = session;
  const [ofSource = String, ofTarget = String] = pieces === undefined ? [] : await piecesOf(pieces, session);
  const pace = createPace(session);
  const pairs: Pair[] = [];
  let nulLines = 0;
  for await (const block of pairBlocks(given, {
    open: (path) => openStream(files, path),
    readers: session.features.pairReaders,
  }))
    for (const [source = '', target = ''] of await textsOfBlock(block)) {
      if (source.includes('\0') || target.includes('\0')) nulLines++;
      pairs.push({ source: ofSource(source), target: ofTarget(target) });
    }
  if (nulLines > 0)
    session.emit({ type: 'warning', text: msg`NUL bytes in ${nulLines} of ${pairs.length} lines of pairs` });
  const wanted = compare === undefined ? undefined : await readAlignments(compare, pairs.length, files);
  const error = new AlignmentError();
  const aligner = model === undefined ? undefined : await openModelAligner(model, session);
  let links = 0;
  let lexicon = '';
  const lines: string[] = [];
  try {
    let alignOne: Aligns;
    if (aligner) alignOne = (pair) => aligner.align(pair);
    else {
      const found = await lexiconAligner(pairs, args, session);
      alignOne = found.align;
      if (table !== undefined) lexicon = found.table();
    }
    for (const pair of pairs) {
      const found = await alignOne(pair);
      links += found.length;
      error.add(found, wanted?.[lines.length] ?? []);
      lines.push(formatLinks(found));
      await pace({ task: 'write', done: lines.length, total: pairs.length });
    }
  } finally {
    aligner?.dispose();
  }
  // Both files at the end: a killed run leaves neither, and the same command starts again.
  const encode = (text: string) => new TextEncoder().encode(text);
  const outputs = { [out]: encode(`${lines.join('\n')}\n`) };
  if (table !== undefined) outputs[table] = encode(lexicon);
  await writeTogether(files, outputs);
  return { out, pairs: pairs.length, links, errorRate: wanted && error.rate };
};
