// heddle align: word alignments of pairs, in the format of fast_align and eflomal.

import { check } from '../../core/errors.ts';
import { runPaced } from '../../core/steps.ts';
import { openStream, writeText } from '../../files/files.ts';
import type { Job } from '../../session/job.ts';
import { createPace } from '../../session/job-pace.ts';
import { nameOfPairs } from '../../session/load-corpus.ts';
import { openModel } from '../../session/open-model.ts';
import type { Session } from '../../session/session.ts';
import { lexicalTable, lexiconSteps, symmetrized, WordAligner, wordsOf } from '../../text/align/lexicon.ts';
import { pairBlocks } from '../../text/corpus/pair-blocks.ts';
import { type PairFiles, textsOfBlock } from '../../text/corpus/pair-files.ts';
import { type Pair, sampleEvenly } from '../../text/corpus/pairs.ts';

/** Arguments of the job; plain JSON. */
export interface AlignArguments {
  readonly pairs: PairFiles;
  /** File of alignments: a line for each line of the pairs. */
  readonly out: string;
  /** Folder of a model whose tokenizers split the texts: their pieces are aligned. [words between spaces] */
  readonly pieces?: string;
  /** File of the lexicon as text: target, source, probability. [none] */
  readonly table?: string;
}

/** Result of the job; plain JSON. */
export interface AlignedPairs {
  readonly out: string;
  readonly pairs: number;
  /** Number of links. */
  readonly links: number;
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

/** Aligns the pairs in both directions and joins the directions. Throws a HeddleError if there are no pairs. */
export const align: Job<AlignArguments, AlignedPairs> = async (
  { pairs: given, out, pieces, table },
  session,
) => {
  const { files } = session;
  const [ofSource = String, ofTarget = String] = pieces === undefined ? [] : await piecesOf(pieces, session);
  const options = { exact: pieces !== undefined };
  const pace = createPace(session);
  const pairs: Pair[] = [];
  for await (const block of pairBlocks(given, { open: (path) => openStream(files, path) }))
    for (const [source = '', target = ''] of await textsOfBlock(block))
      pairs.push({ source: ofSource(source), target: ofTarget(target) });
  const full = pairs.filter(({ source, target }) => source.trim() !== '' && target.trim() !== '');
  check(full.length > 0, `${nameOfPairs(given)}: no line is a valid pair`);
  const swapped = (list: readonly Pair[]) =>
    list.map(({ source, target }) => ({ source: target, target: source }));
  const sample = sampleEvenly(full, maxPairs);
  const lexicon = await runPaced(lexiconSteps(sample, options), pace);
  const forward = new WordAligner(lexicon, options);
  const backward = new WordAligner(await runPaced(lexiconSteps(swapped(sample), options), pace), options);
  let links = 0;
  const lines: string[] = [];
  for (const { source, target } of pairs) {
    const [s, t] = [wordsOf(source), wordsOf(target)];
    const found = symmetrized(forward.align(s, t), backward.align(t, s));
    links += found.length;
    lines.push(found.map(([i, j]) => `${i}-${j}`).join(' '));
    await pace({ task: 'write', done: lines.length, total: pairs.length });
  }
  if (table !== undefined) await writeText(files, table, lexicalTable(lexicon));
  await files.write(out, new TextEncoder().encode(`${lines.join('\n')}\n`));
  return { out, pairs: pairs.length, links };
};
