// The configuration of a new model, and the tokenizers that are trained on its pairs.

import { check, HeddleError } from '../../core/errors.ts';
import { msg, option } from '../../core/message.ts';
import {
  type ModelConfig,
  type ModelOptions,
  modelConfig,
  sharesEmbeddings,
} from '../../model/model-config.ts';
import { decoderSelfAttention } from '../../model/sublayers.ts';
import { chunksOf } from '../../text/corpus/packed-pairs.ts';
import type { PairList } from '../../text/corpus/pairs.ts';
import { openTokenizer, openTokenizerWithoutStart, startPieces } from '../../text/open-tokenizer.ts';
import { maxCountedTexts } from '../../text/sentencepiece/piece-options.ts';
import { vocabularySize } from '../../text/sentencepiece/vocabulary-size.ts';
import type { TextPool } from '../../text/text-pool.ts';
import { countTask, type Sides, type TokenizerOptions, trainTokenizerTask } from '../../text/text-tasks.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** The tokenizers of both sides. */
export interface TokenizerPair {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
}

/** The configuration and the tokenizers of a model. */
export interface KnownModel extends TokenizerPair {
  readonly config: ModelConfig;
}

/** Options of a new model. */
export interface NewModelOptions {
  /** Model options without those that the tokenizers decide: vocabulary sizes and special ids. */
  readonly model: Partial<ModelOptions>;
  /** The tokenizers to train. Default of `size`: by the number of pairs. */
  readonly tokenizer: Omit<TokenizerOptions, 'size'> & { readonly size?: number };
  /** Tokenizers that were trained before. */
  readonly tokenizers?: Partial<TokenizerPair>;
}

/**
 * The configuration of a new model, with tokenizers that are trained on the pairs. `isText`: whether the sources are
 * texts; else only the targets have tokens. Throws a HeddleError if the tokenizers do not fit the model.
 */
export async function newModel(
  pairs: PairList,
  { model, tokenizer, tokenizers = {} }: NewModelOptions,
  pool: TextPool,
  isText: boolean,
): Promise<KnownModel> {
  const shared = sharesEmbeddings({ tie: model.tie ?? 'none' });
  if (shared && tokenizers.source !== tokenizers.target)
    throw new HeddleError(
      msg`tie=${model.tie} shares the embeddings of both sides, so they need one tokenizer (${option('tokenizerFile')})`,
      { area: 'train' },
    );
  // A source without tokens has the tokenizer of the target.
  const given = isText ? tokenizers : { source: tokenizers.target, target: tokenizers.target };
  const size = tokenizer.size ?? vocabularySize(pairs.length);
  // Marian reads only such vocabularies.
  const isMarian =
    decoderSelfAttention(model).startsWithoutToken &&
    (tokenizer.kind === 'unigram' || tokenizer.kind === 'sentencepiece-bpe');
  const trained = await trainTokenizers(pairs, pool, {
    ...tokenizer,
    size: isMarian ? size + startPieces : size,
    given,
    shared,
    wanted: isText ? ['source', 'target'] : ['target'],
    isMarian,
  });
  const { target } = trained;
  const source = isText ? trained.source : target;
  for (const role of ['pad', 'start', 'end'] as const)
    check(
      source.special[role] === target.special[role],
      msg`the ${role} token is ${source.special[role]} in the source tokenizer and ${target.special[role]} in the target tokenizer; they must be the same: use one file (${option('tokenizerFile')}), or two of one tool`,
      { area: 'train' },
    );
  const config = modelConfig({
    ...model,
    srcVocab: source.size,
    tgtVocab: target.size,
    padId: target.special.pad,
    startId: target.special.start,
    endId: target.special.end,
  });
  check(
    isText === (config.source === 'tokens'),
    msg`source is ${config.source}, but the data are texts; leave it out`,
    { area: 'train' },
  );
  return { config, source, target };
}

/** Which tokenizers to train, and how. */
interface TokenizersToTrain extends TokenizerOptions {
  readonly given: NonNullable<NewModelOptions['tokenizers']>;
  /** Whether both sides have one tokenizer. */
  readonly shared: boolean;
  /** The sides that need a tokenizer. */
  readonly wanted: Sides;
  /** Whether the vocabulary is one of Marian, without a start token. */
  readonly isMarian: boolean;
}

/**
 * The given tokenizers, and trained ones for the sides that have none; one for both if embeddings are shared.
 */
async function trainTokenizers(
  pairs: PairList,
  pool: TextPool,
  { given, shared, wanted, isMarian, ...options }: TokenizersToTrain,
): Promise<TokenizerPair> {
  const { source, target } = given;
  if (source && target) return { source, target };
  const sides: Sides = wanted.filter((side) => !given[side]);
  const tokenizers: Sides[] = shared ? [sides] : sides.map((side) => [side]);
  let done = 0;
  const every = options.kind === 'unigram' ? Math.ceil(pairs.length / (maxCountedTexts / 2)) : 1;
  const tables = await pool.run({
    task: countTask,
    args: { tokenizers, every, ...options },
    chunks: chunksOf(pairs),
    progress: () => ({ task: 'count', done, total: pairs.length }),
    onPart(_, __, { length }) {
      done += length;
    },
  });
  const files: string[] = [];
  await pool.run({
    task: trainTokenizerTask,
    args: options,
    chunks: tokenizers.map((_, i) => tables.flatMap((table) => table[i] ?? [])),
    onPart(json, index) {
      files[index] = json;
    },
  });
  const trained = await Promise.all(
    files.map((file) => (isMarian ? openTokenizerWithoutStart(file) : openTokenizer(file))),
  );
  const [first, last] = [trained[0], trained.at(-1)] as [Tokenizer, Tokenizer];
  return { source: source ?? first, target: target ?? last };
}
