// The tasks on the texts of a corpus that run in threads: parse, count, hash, train a tokenizer, encode. A
// task processes chunks, in any order except for `hash`; its arguments and results are structured clones.

import type { Steps } from '../core/steps.ts';
import { type EncodeOptions, encodePairs } from './batches/encoded-corpus.ts';
import { type PairChunk, packPairs, pairsIn } from './corpus/packed-pairs.ts';
import { type BadLine, type PairBlock, parseBlock, textsOfBlock } from './corpus/pair-records.ts';
import { createPairHash, type HeldOut, type Pair, splitPairs } from './corpus/pairs.ts';
import { openTokenizer } from './open-tokenizer.ts';
import { type PieceSettings, pieceOptionsOf } from './sentencepiece/piece-options.ts';
import { bpeSteps } from './tokenizers/bpe-training.ts';
import { derivedTokenizer } from './tokenizers/derived-tokenizer.ts';
import type { Tokenizer, TokenizerKind } from './tokenizers/tokenizer.ts';
import type { Counts, TextCounter, VocabularyOptions } from './tokenizers/vocabulary-training.ts';
import { characterSteps, createCounter, wordSteps } from './tokenizers/vocabulary-training.ts';

/** A task on the chunks of a corpus. */
export interface TextTask<Chunk, Part, Result = undefined> {
  /** Processes a chunk, in steps if it takes long. */
  map(chunk: Chunk): Part | Steps<Part> | Promise<Part | Steps<Part>>;
  /** Returns the joint result of all chunks so far. */
  end?(): Result | Promise<Result>;
}

/** A kind of task. Threads find it by its name in their table: `mainTasks`, and the tasks of guests. */
export interface TextTaskKind<Args, Chunk, Part, Result = undefined> {
  readonly name: string;
  open(args: Args): TextTask<Chunk, Part, Result>;
}

/** Pairs of a block by set, and its invalid lines. */
export interface ParsedPart {
  readonly sets: Readonly<Record<'train' | 'dev' | 'test', PairChunk>>;
  readonly name: string;
  readonly bad: readonly BadLine[];
  readonly columns: boolean;
}

/**
 * Parses blocks of files. With `split` the pairs are split and packed, in shared memory if `shared`. Without
 * it, all are in `train`, with their further references.
 */
export const parseTask: TextTaskKind<{ split?: HeldOut; shared?: boolean }, PairBlock, ParsedPart> = {
  name: 'parse',
  open: ({ split, shared = false }) => ({
    async map(block) {
      const { pairs, bad, columns } = await parseBlock(block);
      const common = { name: block.name, bad, columns };
      if (!split) return { ...common, sets: { train: pairs, dev: [], test: [] } };
      const sets = splitPairs(pairs, split);
      const pack = (part: keyof typeof sets) => packPairs(sets[part], shared);
      return { ...common, sets: { train: pack('train'), dev: pack('dev'), test: pack('test') } };
    },
  }),
};

/** Fingerprint of pairs; needs the chunks in order. */
export const hashTask: TextTaskKind<
  undefined,
  PairChunk,
  undefined,
  ReturnType<ReturnType<typeof createPairHash>['value']>
> = {
  name: 'hash',
  open() {
    const pairs = createPairHash();
    return { map: (chunk) => void pairs.add(pairsIn(chunk)) as undefined, end: pairs.value };
  },
};

/** Counts as one text and an array: faster to send between threads than a map. */
export interface CountTable {
  readonly items: string;
  readonly counts: Float64Array;
}

/** Kinds of tokenizers to train: those of heddle, or a SentencePiece model. */
export type TrainedKind = TokenizerKind | 'unigram' | 'sentencepiece-bpe';

/** Options of a tokenizer to train. */
export interface TokenizerOptions extends VocabularyOptions {
  readonly kind: TrainedKind;
  /** Options of a SentencePiece model. */
  readonly pieces?: PieceSettings;
}

/** The texts that a tokenizer is trained on: one side or both. */
export type Sides = readonly ('source' | 'target')[];

/** Counts the words or characters of some tokenizers, in every `every`-th pair. */
export const countTask: TextTaskKind<
  TokenizerOptions & { tokenizers: readonly Sides[]; every?: number },
  PairChunk,
  undefined,
  CountTable[]
> = {
  name: 'count',
  open(options) {
    const { every = 1 } = options;
    const counters = Promise.all(options.tokenizers.map(() => counterOf(options)));
    return {
      async map(chunk) {
        const opened = await counters;
        for (const [at, pair] of pairsIn(chunk).entries())
          if (at % every === 0)
            for (const [i, sides] of options.tokenizers.entries())
              for (const side of sides) opened[i]?.add(pair[side]);
        return undefined;
      },
      end: async () => (await counters).map(tableOf),
    };
  },
};

/** Counts the words of texts in blocks of files, of every `every`-th record; the part is the number of texts. */
export const countTextsTask: TextTaskKind<
  { options: TokenizerOptions; side: 'source' | 'target' | 'both'; every: number },
  PairBlock,
  number,
  CountTable[]
> = {
  name: 'countTexts',
  open({ options, side, every }) {
    const counter = counterOf(options);
    return {
      async map(block) {
        const opened = await counter;
        let texts = 0;
        for (const [i, record] of (await textsOfBlock(block)).entries()) {
          if (i % every !== 0) continue;
          const wanted =
            side === 'both' ? record : side === 'source' ? record.slice(0, 1) : record.slice(1, 2);
          for (const text of wanted) {
            if (text.trim() !== '') texts++;
            opened.add(text);
          }
        }
        return texts;
      },
      end: async () => [tableOf(await counter)],
    };
  },
};

/** Counts words or characters as a kind of tokenizer has them. */
async function counterOf(options: TokenizerOptions): Promise<TextCounter> {
  const { kind, lowercase } = options;
  if (kind !== 'unigram' && kind !== 'sentencepiece-bpe') return createCounter(kind, lowercase);
  const { createWordCounter } = await import('./sentencepiece/word-counter.ts');
  return createWordCounter(pieceOptionsOf(options));
}

function tableOf(counter: TextCounter): CountTable {
  const counts = counter.counts();
  return { items: [...counts.keys()].join('\n'), counts: Float64Array.from(counts.values()) };
}

function joinCounts(tables: readonly CountTable[]): Counts {
  const all = new Map<string, number>();
  for (const { items, counts } of tables)
    if (counts.length > 0)
      for (const [i, item] of items.split('\n').entries())
        all.set(item, (all.get(item) ?? 0) + (counts[i] as number));
  return all;
}

/** Trains a tokenizer on the counts of several threads; the result is its tokenizer.json. */
export const trainTokenizerTask: TextTaskKind<TokenizerOptions, readonly CountTable[], string> = {
  name: 'trainTokenizer',
  open({ kind, ...options }) {
    if (kind === 'unigram' || kind === 'sentencepiece-bpe')
      return {
        async map(tables) {
          const { sentencePieceSteps } = await import('./sentencepiece/sentencepiece-training.ts');
          return (function* () {
            return JSON.stringify(yield* sentencePieceSteps(joinCounts(tables), { kind, ...options }));
          })();
        },
      };
    const steps = { word: wordSteps, char: characterSteps, bpe: bpeSteps }[kind];
    return {
      *map(tables) {
        return JSON.stringify(yield* steps(joinCounts(tables), options));
      },
    };
  },
};

/** A tokenizer as plain data. */
export interface TokenizerData {
  readonly json: string;
  readonly begin?: number;
}

/** Converts a tokenizer to plain data. */
export const tokenizerData = (tokenizer: Tokenizer): TokenizerData => ({
  json: JSON.stringify(tokenizer),
  begin: tokenizer.begin,
});

/** The tokenizer from plain data. Throws a HeddleError if the data is incomplete. */
async function tokenizerOf({ json, begin }: TokenizerData): Promise<Tokenizer> {
  const tokenizer = await openTokenizer(json);
  if (begin === undefined || begin === tokenizer.begin) return tokenizer;
  const encode = (text: string) => {
    const ids = tokenizer.encode(text);
    return ids.length > 0 ? [begin, ...ids] : ids;
  };
  return derivedTokenizer(tokenizer, { begin, encode });
}

/** Whether copies of tokenizers in threads give the same ids for some pairs. */
export async function areCopied(
  source: Tokenizer,
  target: Tokenizer,
  sample: readonly Pair[],
): Promise<boolean> {
  const same = async (tokenizer: Tokenizer, side: 'source' | 'target'): Promise<boolean> => {
    try {
      const copy = await tokenizerOf(tokenizerData(tokenizer));
      return sample.every((pair) => String(copy.encode(pair[side])) === String(tokenizer.encode(pair[side])));
    } catch {
      return false;
    }
  };
  return (await same(source, 'source')) && (await same(target, 'target'));
}

/** Both tokenizers of a task, which a thread gets as plain data. */
export async function openTokenizers(given: {
  readonly source: Tokenizer | TokenizerData;
  readonly target: Tokenizer | TokenizerData;
}): Promise<readonly [source: Tokenizer, target: Tokenizer]> {
  const open = async (tokenizer: Tokenizer | TokenizerData) =>
    'json' in tokenizer ? tokenizerOf(tokenizer) : tokenizer;
  const source = await open(given.source);
  return [source, given.target === given.source ? source : await open(given.target)];
}

/** Encodes pairs. */
export const encodeTask: TextTaskKind<
  { source: Tokenizer | TokenizerData; target: Tokenizer | TokenizerData; options: EncodeOptions },
  PairChunk,
  ReturnType<typeof encodePairs>
> = {
  name: 'encode',
  open({ options, ...given }) {
    const both = openTokenizers(given);
    both.catch(() => undefined); // `map` rejects with it
    return { map: async (chunk) => encodePairs(pairsIn(chunk), ...(await both), options) };
  },
};

/** The tasks of the main house, which all threads have. */
export const mainTasks = [
  parseTask,
  hashTask,
  countTask,
  countTextsTask,
  trainTokenizerTask,
  encodeTask,
] as const;
