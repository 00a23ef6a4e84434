// Trains the pieces of a Unigram model (Kudo, 2018, "Subword Regularization"): expectation maximization over all
// segmentations of the runs, and pruning of the pieces whose loss changes the likelihood least. It uses the
// constants of SentencePiece. All sums are in a fixed order: the same counts give the same bits.

import type { Steps } from '../../core/steps.ts';
import { type RunTable, seedPieceSteps } from './seed-pieces.ts';
import { type ScoredPiece, UnigramPieces } from './unigram-pieces.ts';

/** Maximum number of seed pieces. */
const maxSeeds = 1_000_000;
/** Pruning stops at this multiple of the size; the last pieces are chosen by score. */
const sizeMargin = 1.1;
/** Iterations of expectation maximization between two prunings. */
const iterations = 2;
/** Difference of the scores of characters that only pruning dropped. */
const characterStep = 0.0001;

/** Trains at most `size` pieces; every character of the alphabet is one. The pieces are by descending score. */
export function* unigramSteps(table: RunTable, size: number): Steps<ScoredPiece[]> {
  const seeds = yield* seedPieceSteps(table, maxSeeds);
  const model = new UnigramPieces(table, seeds);
  const wanted = Math.max(Math.ceil(size * sizeMargin), table.alphabet.length);
  const first = model.size;
  const total = Math.log(Math.max(1, first / wanted));
  for (;;) {
    for (let i = 0; i < iterations; i++) {
      yield* model.expectSteps();
      model.maximize();
      yield {
        task: 'train tokenizer',
        done: total > 0 ? Math.min(1, Math.log(first / model.size) / total) : 1,
        total: 1,
      };
    }
    if (model.size <= wanted) break;
    yield* model.pruneSteps(wanted);
  }
  return finalPieces(model, size);
}

/** All characters, and the best other pieces up to `size`. */
function finalPieces(model: UnigramPieces, size: number): ScoredPiece[] {
  const { alphabet } = model.table;
  const all = model.scoredPieces();
  const known = new Map(all.map((piece) => [piece.text, piece.score]));
  const min = all.reduce((least, { score }) => Math.min(least, score), 0);
  let missing = 0;
  // Frequent characters first, as in SentencePiece.
  const characters = alphabet.map((text, i) => ({
    text,
    count: model.table.alphabetCounts[i] as number,
    score: known.get(text),
  }));
  characters.sort((a, b) => b.count - a.count);
  const kept = characters.map(({ text, score }) => ({
    text,
    score: score ?? min + characterStep * -++missing,
  }));
  const isCharacter = new Set(alphabet);
  const others = all
    .filter(({ text }) => !isCharacter.has(text))
    .sort((a, b) => b.score - a.score || compare(a.text, b.text))
    .slice(0, Math.max(0, size - kept.length));
  return [...kept, ...others].sort((a, b) => b.score - a.score || compare(a.text, b.text));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
