// Trains SentencePiece models on counted words: the alphabet, special pieces and bytes, and the pieces of
// the Unigram or BPE algorithm.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Steps } from '../../core/steps.ts';
import { mergeSteps } from '../tokenizers/bpe-training.ts';
import type { Counts } from '../tokenizers/vocabulary-training.ts';
import { nmtNfkc } from './nmt-nfkc.ts';
import type { RunTable } from './seed-pieces.ts';
import type { WrittenModel } from './sentencepiece-writer.ts';
import { specialPieces, writeSentencePiece } from './sentencepiece-writer.ts';
import { type RunOptions, splitRuns } from './text-runs.ts';
import { unigramSteps } from './unigram-training.ts';

/** Options of a model to train; `RunOptions` are those of the words too. */
export interface PieceOptions extends RunOptions {
  readonly algorithm: 'unigram' | 'bpe';
  /** Maximum number of pieces, with special pieces, symbols and bytes. */
  readonly size: number;
  /** Whether characters without a piece become the pieces of their bytes. */
  readonly byteFallback: boolean;
  /** Fraction of the characters of the text that get pieces; rare characters do not. */
  readonly characterCoverage: number;
  /** Pieces that no text encodes to. */
  readonly controlSymbols: readonly string[];
}

/** Maximum number of characters of all runs: the memory of a training is about 100 bytes for each. */
const maxCharacters = 16_000_000;

type PieceEntry = WrittenModel['pieces'][number];

/**
 * Trains a model on counted words, in steps; returns the `.model` file. Equal counts give equal bytes. Throws a
 * HeddleError if `size` has no room for pieces.
 */
export function* pieceSteps(words: Counts, options: PieceOptions): Steps<Uint8Array> {
  const { algorithm, size, byteFallback, characterCoverage, controlSymbols, userSymbols } = options;
  const special: PieceEntry[] = [
    ...Object.keys(specialPieces).map(
      (text): PieceEntry => ({ text, score: 0, type: text === '<unk>' ? 'unknown' : 'control' }),
    ),
    ...controlSymbols.map((text): PieceEntry => ({ text, score: 0, type: 'control' })),
    ...userSymbols.map((text): PieceEntry => ({ text, score: 0, type: 'user-defined' })),
    ...Array.from({ length: byteFallback ? 256 : 0 }, (_, byte): PieceEntry => {
      const digits = byte.toString(16).toUpperCase().padStart(2, '0');
      return { text: `<0x${digits}>`, score: 0, type: 'byte' };
    }),
  ];
  const names = special.map(({ text }) => text);
  const twice = names.find((text, i) => names.indexOf(text) < i);
  check(twice === undefined, () => msg`the symbol '${twice}' is named twice or reserved`, {
    area: 'tokenizer',
  });
  check(
    size > special.length,
    byteFallback
      ? msg`size is ${size}, it must be above ${special.length}, the number of special tokens, symbols and bytes`
      : msg`size is ${size}, it must be above ${special.length}, the number of special tokens and symbols`,
    { area: 'tokenizer' },
  );
  const room = size - special.length;
  const reserved = new Set(userSymbols);
  const alphabet = alphabetOf(words, characterCoverage, room, reserved);
  const table = yield* tableSteps(words, alphabet, options.splitDigits);
  const trained = algorithm === 'unigram' ? yield* unigramSteps(table, room) : yield* bpePieces(table, room);
  const pieces = trained
    .filter(({ text }) => !reserved.has(text))
    .map(({ text, score }): PieceEntry => ({ text, score: Math.fround(score), type: 'normal' }));
  return writeSentencePiece({
    ...options,
    pieces: [...special, ...pieces],
    charsmap: nmtNfkc(options.lowercase).charsmap,
  });
}

/** The most frequent characters that cover a fraction of the text, at most `room`; ties in code-point order. */
function alphabetOf(
  words: Counts,
  coverage: number,
  room: number,
  reserved: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  let total = 0;
  for (const [word, count] of words)
    for (const character of word) {
      if (character === '\0' || isLoneSurrogate(character)) continue;
      counts.set(character, (counts.get(character) ?? 0) + count);
      total += count;
    }
  const sorted = [...counts].sort(
    ([a, m], [b, n]) => n - m || (a.codePointAt(0) as number) - (b.codePointAt(0) as number),
  );
  const out = new Map<string, number>();
  let covered = 0;
  for (const [character, count] of sorted) {
    if (covered >= coverage * total || out.size === room) break;
    if (!reserved.has(character)) out.set(character, count);
    covered += count;
  }
  return out;
}

const isLoneSurrogate = (character: string): boolean =>
  character.length === 1 && character >= '\ud800' && character <= '\udfff';

/** A run: how often it occurs, and in how many distinct words. */
interface CountedRun {
  count: number;
  words: number;
}

/** The runs of words without the characters outside the alphabet, in the order of their texts. */
function* tableSteps(
  words: Counts,
  counts: ReadonlyMap<string, number>,
  splitDigits: boolean,
): Steps<RunTable> {
  const alphabet = [...counts.keys()].sort(
    (a, b) => (a.codePointAt(0) as number) - (b.codePointAt(0) as number),
  );
  const indexOf = new Map(alphabet.map((character, i) => [character, i]));
  const runs = new Map<string, CountedRun>();
  const add = (text: string, count: number) => {
    if (text === '') return;
    const run = runs.get(text);
    if (!run) runs.set(text, { count, words: 1 });
    else {
      run.count += count;
      run.words++;
    }
  };
  let done = 0;
  for (const [word, count] of words) {
    if (done++ % 20_000 === 0) yield { task: 'split words', done, total: words.size };
    splitRuns(word, splitDigits, (run) => {
      let part = '';
      for (const character of run)
        if (indexOf.has(character)) part += character;
        else {
          add(part, count);
          part = '';
        }
      add(part, count);
    });
  }
  const sorted = limited([...runs].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  const units = sorted.map(([text]) => Array.from(text, (character) => indexOf.get(character) as number));
  const characters = new Int32Array(units.reduce((n, list) => n + list.length + 1, 0)).fill(alphabet.length);
  const starts = new Int32Array(units.length + 1);
  let at = 0;
  for (const [run, list] of units.entries()) {
    starts[run] = at;
    characters.set(list, at);
    at += list.length + 1;
  }
  starts[units.length] = at;
  return {
    characters,
    starts,
    counts: Float64Array.from(sorted, ([, { count }]) => count),
    words: Float64Array.from(sorted, ([, { words }]) => words),
    alphabet,
    alphabetCounts: Float64Array.from(alphabet, (character) => counts.get(character) as number),
  };
}

/** Runs of at most `maxCharacters` in all: of the rarest ones some are left out, evenly. */
function limited(runs: [string, CountedRun][]): [string, CountedRun][] {
  const characters = (list: readonly [string, CountedRun][]) =>
    list.reduce((n, [text]) => n + text.length + 1, 0);
  let kept = runs;
  for (let rare = 1; characters(kept) > maxCharacters; rare++) {
    const share = maxCharacters / characters(kept);
    let seen = 0;
    kept = kept.filter(([, { count }]) => {
      if (count > rare) return true;
      seen += share / 2;
      return Math.floor(seen) > Math.floor(seen - share / 2);
    });
  }
  return kept;
}

/** Pieces of merges, the first with the highest score, and the characters. */
function* bpePieces(table: RunTable, room: number): Steps<{ text: string; score: number }[]> {
  const { alphabet, starts, characters, counts } = table;
  const runs = new Map<string, number>();
  for (let run = 0; run < counts.length; run++) {
    let text = '';
    for (let i = starts[run] as number; i < (starts[run + 1] as number) - 1; i++)
      text += alphabet[characters[i] as number];
    runs.set(text, counts[run] as number);
  }
  const vocab = [...alphabet];
  yield* mergeSteps(runs, vocab, room);
  const merged = vocab.slice(alphabet.length);
  return [...merged, ...alphabet].map((text, rank) => ({ text, score: 0 - rank }));
}
