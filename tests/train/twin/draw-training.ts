// Drawn trainings: the settings, model and pairs of a short run, from the whole space that docs/settings.md describes.
// A training depends on its seed alone.

import { random } from '../../../src/core/random.ts';
import { rewriteNames } from '../../../src/engine/graph/rewrites.ts';
import type { GuestOptions } from '../../../src/features/guest-types.ts';
import type { ModelOptions } from '../../../src/model/model-config.ts';
import type { CorpusArguments } from '../../../src/train/data/corpus-arguments.ts';
import type { TrainSettings } from '../../../src/train/settings/train-settings.ts';

/** Number of updates of a drawn training. */
export const drawnSteps = 10;

/** Settings of a run, with those of guests. */
export type AllSettings = TrainSettings & GuestOptions & { readonly [ofGuest: string]: unknown };

/** A drawn training. */
export interface DrawnTraining {
  readonly seed: number;
  /** What was drawn, in words. */
  readonly words: readonly string[];
  /** The settings that are given to `train`. */
  readonly settings: AllSettings;
  readonly corpus: CorpusArguments;
  /** Files by name: pairs, alignments. */
  readonly files: Readonly<Record<string, string>>;
  /** Settings of the run whose model is fine-tuned; undefined: the model is new. */
  readonly base: AllSettings | undefined;
}

const sourceWords = ['red', 'green', 'tree', 'house', 'sun', '7', '42', 'big', 'of', 'river', 'stone', 'a'];
const targetWords = [
  'rojo',
  'verde',
  'árbol',
  'casa',
  'sol',
  '7',
  '42',
  'grande',
  'de',
  'río',
  'piedra',
  'un',
];

/** Name of the folder of the model that is fine-tuned. */
export const baseFolder = 'base';

/** Draws a training. */
export function drawTraining(seed: number): DrawnTraining {
  const r = random(seed, 0x7721);
  const words: string[] = [];
  const chance = (p: number) => r.uniform() < p;
  const between = (low: number, high: number) => low + r.int(high - low + 1);
  const rate = (low: number, high: number) => Number((low * (high / low) ** r.uniform()).toPrecision(3));
  /** A value with some probability; else undefined. `name`: its word. */
  const maybe = <T>(p: number, name: string, make: () => T): T | undefined => {
    if (!chance(p)) return undefined;
    words.push(name);
    return make();
  };
  const isOfImages = chance(0.06);
  const isTuned = !isOfImages && chance(0.4);
  const usesLora = isTuned && chance(0.7);
  const isGuided = !isOfImages && !usesLora && chance(0.12);
  const isMixed = !isOfImages && !isGuided && chance(0.15);

  const drawnModel = isOfImages ? drawImageModel() : drawModel();
  // T5's gated blocks have two layers.
  const isDeep = (drawnModel.feedForwardDepth ?? drawnModel.decoderFeedForwardDepth) !== undefined;
  const tokenizer = isOfImages ? 'char' : r.pick(['word', 'char', 'bpe', 'unigram'] as const);
  const isUnigram = tokenizer === 'unigram';
  // The pieces of such a model are as Marian has them, without padding, whose id these positions need.
  const isMarian = isUnigram && drawnModel.decoderSelfAttention === 'ssru';
  const model =
    isMarian && drawnModel.positions === 'fairseq-sinusoidal'
      ? { ...drawnModel, positions: 'sinusoidal' as const }
      : drawnModel;
  const ofPieces = isUnigram && {
    byteFallback: maybe(0.3, 'bytes', () => chance(0.5)),
    characterCoverage: maybe(0.2, 'coverage', () => 0.98),
    splitDigits: maybe(0.3, 'digits', () => true),
    userSymbols: maybe(0.3, 'user symbols', () => ['<BT>']),
    controlSymbols: maybe(0.3, 'control symbols', () => ['<C>']),
  };
  /** What a new model has: architecture, tokenizers and initial weights. */
  const ofModel: AllSettings = {
    preset: isOfImages ? 'line-tiny' : r.pick(['tiny', 'small'] as const),
    model: isGuided ? { ...model, alignmentHead: r.int(model.decoderHeads ?? model.heads ?? 1) } : model,
    norm: maybe(0.5, 'norm', () => r.pick(['pre', 'post'] as const)),
    tokenizer,
    vocabSize: isUnigram ? 290 + r.int(30) : between(30, 60),
    lowercase: maybe(0.2, 'lowercase', () => true),
    fillVocab: tokenizer === 'word' ? maybe(0.2, 'filled vocabulary', () => true) : undefined,
    init: maybe(0.4, 'init', () => r.pick(['xavier', 'truncated-normal'])),
    exportTo: isOfImages
      ? undefined
      : maybe(0.1, 'export to', () =>
          r.pick(isDeep ? (['bart', 'marian'] as const) : (['bart', 'marian', 't5'] as const)),
        ),
    ...ofPieces,
  };

  const optimizer = r.pick(['adamw', 'adam', 'rmsprop', 'sgd'] as const);
  const schedule = r.pick(['constant', 'linear', 'cosine', 'inverse-sqrt', 'noam'] as const);
  const decays = schedule === 'linear' || schedule === 'cosine';
  const least = schedule === 'inverse-sqrt' || schedule === 'noam' ? 1 : 0;
  const learningRate =
    schedule === 'noam' ? rate(0.02, 0.2) : optimizer === 'sgd' ? rate(0.02, 0.2) : rate(5e-4, 1e-2);
  words.push(optimizer, schedule);
  const quantizeBits = usesLora ? undefined : maybe(0.12, '8-bit training', () => 8);
  const dropout = maybe(0.45, 'dropout', () =>
    chance(0.5)
      ? 0.1
      : { embedding: 0.1, attention: 0.2, feedForward: 0.05, residual: 0.1, memory: 0.15, output: 0.3 },
  );
  const settings: AllSettings = {
    steps: drawnSteps,
    ...(chance(0.75) ? { batchSize: between(2, 8) } : { maxTokens: between(40, 90) }),
    buckets: between(1, 3),
    gradientAccumulationSteps: maybe(0.4, 'accumulation', () => between(2, 4)),
    changes: maybe(
      0.15,
      'changes',
      () =>
        `${between(2, 5)} learningRate=${rate(1e-3, 1e-2)}${typeof dropout === 'number' ? ' dropout=0.3' : ''}`,
    ),
    seed: r.int(1000),
    precision: maybe(0.2, 'f16', () => 'f16' as const),
    quantizeBits,
    gradientCheckpointing: maybe(0.2, 'checkpointing', () => true),
    checkFinite: maybe(0.1, 'finite checks', () => true),
    noFuse: maybe(0.1, 'unfused', () => [r.pick(rewriteNames)]),
    optimizer,
    learningRate,
    schedule,
    warmupSteps:
      schedule === 'inverse-sqrt' || schedule === 'noam' || chance(0.6) ? between(least, 6) : undefined,
    scheduleSteps: decays ? maybe(0.4, 'schedule steps', () => between(8, 14)) : undefined,
    minLearningRate: decays
      ? maybe(0.4, 'minimum rate', () => Math.min(learningRate, 1e-3) / between(2, 20))
      : undefined,
    weightDecay: optimizer === 'rmsprop' ? undefined : maybe(0.4, 'weight decay', () => rate(1e-3, 0.3)),
    betas: optimizer.startsWith('adam') ? maybe(0.4, 'betas', () => [0.8, 0.95] as const) : undefined,
    eps: optimizer === 'sgd' ? undefined : maybe(0.4, 'eps', () => r.pick([1e-6, 1e-4, 1e-8])),
    momentum: optimizer === 'sgd' ? maybe(0.5, 'momentum', () => r.pick([0, 0.5, 0.95])) : undefined,
    rho: optimizer === 'rmsprop' ? maybe(0.5, 'rho', () => r.pick([0.8, 0.99])) : undefined,
    clipNorm: maybe(0.6, 'clipping', () => r.pick([0, 0.05, 0.5, 5])),
    emaDecay: maybe(0.3, 'EMA', () => r.pick([0.5, 0.9])),
    dropout,
    labelSmoothing: maybe(0.4, 'label smoothing', () => r.pick([0.05, 0.1, 0.3])),
    freeze: usesLora || isOfImages ? undefined : maybe(0.25, 'freezing', () => r.pick(freezeGlobs)),
    heldOut: chance(0.5) ? 0.1 : 0.2,
    maxLength: isTuned ? undefined : maybe(0.3, 'max length', () => between(14, 20)),
    truncate: maybe(0.3, 'truncate', () => true),
    evalSteps: isOfImages || isGuided || isMixed ? 0 : (maybe(0.3, 'evaluation', () => between(2, 4)) ?? 0),
    devSentences: 0,
    testSentences: 0,
    updateRatioSteps: maybe(0.1, 'update ratio', () => 3),
    saveSeconds: 0,
  };
  const drawn: AllSettings = {
    ...settings,
    lossScaleGrowth: settings.precision ? maybe(0.6, 'scale growth', () => between(2, 6)) : undefined,
    bestMetric: settings.evalSteps ? maybe(0.3, 'perplexity', () => 'perplexity' as const) : undefined,
    ...(usesLora && { ...drawLora(), evalSteps: settings.evalSteps }),
    ...(isGuided && {
      guidedAlignment: 'links',
      guidedAlignmentWeight: maybe(0.6, 'alignment weight', () => rate(0.05, 1)),
    }),
    ...(!isGuided && !isOfImages && drawSampling()),
    ...(isOfImages && drawMasks()),
  };
  if (isTuned) words.push('fine-tuning');
  if (isMixed) words.push('weighted pairs');
  if (isGuided) words.push('guided alignment');
  const pairs = drawPairs(40);
  const files: Readonly<Record<string, string>> = isMixed
    ? { 'a.tsv': textOf(pairs), 'b.tsv': textOf(drawPairs(12)) }
    : {
        'pairs.tsv': textOf(pairs),
        'dev.tsv': textOf(drawPairs(8)),
        ...(isGuided ? { links: linksOf(pairs) } : {}),
      };
  const corpus: CorpusArguments = isOfImages
    ? { kind: 'task', task: 'read-line', pairs: 24, seed: r.int(100) }
    : isMixed
      ? { kind: 'files', train: { files: ['a.tsv', 'b.tsv'] }, stages: drawStages() }
      : isGuided
        ? { kind: 'files', train: { files: ['pairs.tsv'] } }
        : { kind: 'tsv', path: 'pairs.tsv', dev: drawn.evalSteps ? 'dev.tsv' : undefined };
  const baseRun: AllSettings = {
    ...ofModel,
    steps: 1,
    batchSize: 8,
    heldOut: 0.1,
    evalSteps: 0,
    testSentences: 0,
    saveSeconds: 0,
    maxLength: 30,
    dropout: 0,
    schedule: 'constant',
    learningRate: 0.01,
  };
  const given: AllSettings = isTuned ? { ...drawn, init: baseFolder } : { ...ofModel, ...drawn };
  return {
    seed,
    words,
    settings: withoutUndefined(given),
    corpus,
    files,
    base: isTuned ? withoutUndefined(baseRun) : undefined,
  };

  function drawModel(): Partial<ModelOptions> {
    const heads = between(1, 4);
    const isWide = chance(0.25);
    const isMarian = chance(0.2);
    const positions = r.pick([
      'sinusoidal',
      'sinusoidal-halves',
      'marian-sinusoidal',
      'fairseq-sinusoidal',
      'learned',
      'relative',
      'none',
    ] as const);
    words.push(positions);
    const decoderLayers = between(1, 2);
    const isGated = chance(0.2);
    return withoutUndefined({
      // Norms of two or three numbers are ill-conditioned.
      dModel: Math.max(2, Math.ceil(6 / heads)) * heads + heads * r.int(3),
      heads,
      headWidth: isWide ? between(2, 5) : undefined,
      decoderHeads: isWide ? between(1, 3) : undefined,
      decoderHeadWidth: isWide ? between(2, 5) : undefined,
      encoderLayers: between(1, 2),
      decoderLayers,
      feedForward: between(5, 16),
      decoderFeedForward: maybe(0.2, 'decoder ffn', () => between(4, 12)),
      feedForwardDepth: isGated ? undefined : maybe(0.15, 'ffn depth', () => 3),
      decoderFeedForwardDepth: isGated ? undefined : maybe(0.15, 'decoder ffn depth', () => 3),
      feedForwardType: isGated ? ('gated' as const) : undefined,
      decoderSelfAttention: isMarian ? ('ssru' as const) : undefined,
      decoderTiedLayers: decoderLayers === 2 ? maybe(0.15, 'tied layers', () => [1, 1]) : undefined,
      sublayerSteps: maybe(0.2, 'sublayer steps', () => r.pick([':dan', 'n:da', 'n:dan', 'd:an', ':an'])),
      normQueriesOnly: maybe(0.15, 'norm of queries only', () => true),
      normType: maybe(0.2, 'rms', () => 'rms' as const),
      finalNorm: maybe(0.4, 'final norm', () => chance(0.5)),
      embeddingNorm: maybe(0.2, 'embedding norm', () => true),
      activation: r.pick(['relu', 'gelu', 'silu', 'gelu-tanh', 'quick-gelu'] as const),
      biases: maybe(0.15, 'no biases', () => false),
      keyBias: maybe(0.15, 'no key bias', () => false),
      attentionScale: maybe(0.15, 'no attention scale', () => false),
      positions,
      relativeBuckets: positions === 'relative' ? between(4, 12) : undefined,
      relativeMaxDistance: positions === 'relative' ? between(13, 40) : undefined,
      positionOffset: positions === 'learned' ? maybe(0.3, 'position offset', () => 2) : undefined,
      trainPositions: positions === 'learned' ? maybe(0.3, 'fixed positions', () => false) : undefined,
      tie: r.pick(['none', 'target', 'all', 'embeddings'] as const),
      scaleEmbedding: maybe(0.3, 'scaled embedding', () => chance(0.5)),
      scaleOutput: maybe(0.2, 'scaled output', () => true),
      layerNormEps: maybe(0.2, 'norm eps', () => r.pick([1e-3, 1e-6])),
      outputBias: maybe(0.3, 'output bias', () => chance(0.5)),
      trainOutputBias: maybe(0.15, 'fixed output bias', () => false),
      trainPadding: maybe(0.3, 'untrained padding', () => false),
      maxLength: 32,
    });
  }

  function drawImageModel(): Partial<ModelOptions> {
    words.push('images');
    const heads = between(1, 2);
    return withoutUndefined({
      dModel: heads * r.pick([4, 6]),
      heads,
      encoderLayers: 1,
      decoderLayers: 1,
      feedForward: between(5, 12),
    });
  }

  function drawLora(): AllSettings {
    const weights = r.pick(['f32', 'f16', 'int8', 'int4', 'int4-f32', 'uint4', 'uint4-f32'] as const);
    words.push('LoRA', `weights ${weights}`);
    const rank = between(1, 3);
    return withoutUndefined({
      lora: withoutUndefined({
        rank,
        alpha: maybe(0.5, 'alpha', () => rank * r.pick([1, 3])),
        targetModules: maybe(0.6, 'target modules', () =>
          r.pick(
            ofModel.exportTo === 't5' || model.normType === 'rms'
              ? [['*.q', '*.o'], ['*']]
              : [['*.fc1'], ['*.q_proj', '*.out_proj'], ['*']],
          ),
        ),
        dropout: maybe(0.3, 'LoRA dropout', () => 0.2),
      }),
      weights: weights === 'f32' ? undefined : weights,
      weightsExclude: weights === 'f32' ? undefined : maybe(0.3, 'excluded layers', () => ['*.linear1']),
    }) as AllSettings;
  }

  function drawSampling(): AllSettings {
    return {
      // Pieces without a start token cannot be sampled.
      samplingAlpha:
        isUnigram && !isTuned ? maybe(0.25, 'sampled pieces', () => (isMarian ? undefined : 0.3)) : undefined,
      bpeDropout: tokenizer === 'bpe' && !isTuned ? maybe(0.3, 'BPE-dropout', () => 0.2) : undefined,
      augment: maybe(0.08, 'augmentation', () => [r.pick(['upperCase=0.2', 'typos=0.2'])]),
    };
  }

  function drawMasks(): AllSettings {
    return {
      maskTimeProb: maybe(0.5, 'masked time', () => 0.2),
      maskTimeLength: 2,
      maskFeatureProb: maybe(0.5, 'masked features', () => 0.2),
      maskFeatureLength: 2,
    };
  }

  function drawPairs(count: number): [string, string][] {
    return Array.from({ length: count }, () => {
      const picked = Array.from({ length: between(1, 5) }, () => r.int(sourceWords.length));
      const target = picked.filter(() => chance(0.85));
      return [
        picked.map((k) => sourceWords[k]).join(' '),
        (target.length > 0 ? target : picked).map((k) => targetWords[k]).join(' '),
      ];
    });
  }

  function drawStages() {
    const share = r.pick([0.25, 0.5, 0.8]);
    const weights = [share, 1 - share];
    return chance(0.5) ? [{ weights }] : [{ weights, steps: between(3, 5) }, { weights: [1, 0] }];
  }

  function linksOf(pairs: readonly (readonly [string, string])[]): string {
    return pairs
      .map(([source, target]) => {
        const [s, t] = [source.split(' ').length, target.split(' ').length];
        return Array.from({ length: t }, (_, i) => `${r.int(s)}-${i}`)
          .filter(() => chance(0.8))
          .join(' ');
      })
      .map((line) => `${line}\n`)
      .join('');
  }
}

const freezeGlobs = [['encoder.*'], ['*.bias'], ['*embed*'], ['decoder.layers.0.*'], ['*norm*']];

const textOf = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([source, target]) => `${source}\t${target}\n`).join('');

const withoutUndefined = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
