// The options of `train` with their documentation. Generated from src/train/settings/settings.ts by `npx
// vitest run -u tests/train/settings/settings.test.ts`: change the table, not this file.

import type { ModelOptions } from '../../model/model-config.ts';
import type { DropoutRates } from '../../model/model-config-types.ts';

/** Options of a LoRA adapter to train. */
export interface LoraSettings {
  /**
   * Rank of a LoRA adapter to train; all other weights are frozen, and train saves the adapter in the format
   * of PEFT. A whole number of at least 1.
   */
  readonly rank: number;
  /** Alpha of LoRA: the update is multiplied by alpha / rank. A number above 0. Default: twice the rank. */
  readonly alpha?: number;
  /**
   * Globs of linear layers that get a LoRA adapter, e.g. *.q_proj,*.fc1; layers: q_proj, k_proj, v_proj,
   * out_proj, fc1, fc2 (in T5 q, k, v, o, wi, wo); the ending _proj may be omitted. Default: *.q,*.v.
   */
  readonly targetModules?: readonly string[];
  /** Dropout rate of the input of the LoRA adapter. A number of at least 0 and below 1. Default: 0. */
  readonly dropout?: number;
}

/** Options of a training run; docs/settings.md lists them in a table. */
export interface TrainSettings {
  /**
   * Number of optimizer updates. A whole number of at least 1 (steps). Default: 800 (built-in corpus,
   * built-in tasks), 3000 (task read-line).
   */
  readonly steps?: number;
  /**
   * Number of passes over the training pairs, instead of steps. A whole number of at least 1. Default: 10
   * (pairs), 30 (preset keras, clips), 3 (fine-tuning).
   */
  readonly epochs?: number;
  /**
   * Pairs per batch. A whole number of at least 1 (pairs). Default: 64 (built-in corpus, built-in tasks, task
   * read-line, pairs, preset keras, fine-tuning), 32 (clips).
   */
  readonly batchSize?: number;
  /**
   * Tokens per batch, counted on the longer side and with padding, instead of batchSize. A whole number of at
   * least 1 (tokens). Default: batches of batchSize pairs.
   */
  readonly maxTokens?: number;
  /**
   * Maximum number of batch shapes; each batch is padded to one of them. A whole number of at least 1.
   * Default: 2.
   */
  readonly buckets?: number;
  /** Batches per optimizer update (gradient accumulation). A whole number of at least 1. Default: 1. */
  readonly gradientAccumulationSteps?: number;
  /**
   * Change learningRate, dropout or evalSteps during the run, each after a number of steps: 40
   * learningRate=0.001 dropout=0; 80 evalSteps=50. Default: none.
   */
  readonly changes?: string;
  /**
   * Seed of the initial weights, data order, dropout and built-in corpus. A whole number of at least 0.
   * Default: 1.
   */
  readonly seed?: number;
  /**
   * Number type: f16 is mixed precision with loss scaling, which needs the GPU feature shader-f16. Default:
   * f32.
   */
  readonly precision?: 'f32' | 'f16';
  /**
   * Quantization-aware training: round matrices to 8 bits in the forward pass, for models that int8 formats
   * store (0: off). A whole number from 0 to 8 and a multiple of 8 (bits). Default: 0.
   */
  readonly quantizeBits?: number;
  /**
   * Gradient checkpointing: recompute each layer in the backward pass (less memory, more compute). Default:
   * off.
   */
  readonly gradientCheckpointing?: boolean;
  /**
   * Check every tensor of every step; stop at the first NaN or infinity and print its origin. Default: off.
   */
  readonly checkFinite?: boolean;
  /** Graph rewrites to disable. Default: none. */
  readonly noFuse?: readonly string[];
  /**
   * Optimizer. Default: adamw (built-in corpus, built-in tasks, task read-line, pairs, clips, fine-tuning),
   * rmsprop (preset keras).
   */
  readonly optimizer?: 'adamw' | 'adam' | 'rmsprop' | 'sgd';
  /**
   * Maximum learning rate; for schedule noam the factor in its formula. A number above 0. Default: 0.003
   * (built-in corpus, built-in tasks, task read-line), 0.001 (pairs, preset keras, clips), 0.0002
   * (fine-tuning).
   */
  readonly learningRate?: number;
  /**
   * Learning rate schedule; with steps or epochs the default linear becomes inverse-sqrt. Default: linear
   * (built-in corpus, built-in tasks, task read-line, clips), inverse-sqrt (pairs), constant (preset keras,
   * fine-tuning).
   */
  readonly schedule?: 'constant' | 'linear' | 'cosine' | 'inverse-sqrt' | 'noam';
  /**
   * Steps of linear warm-up of the learning rate. A whole number of at least 0 (steps). Default: linear and
   * cosine: a tenth of the steps, at most 100; inverse-sqrt and noam: 400; constant: 0.
   */
  readonly warmupSteps?: number;
  /**
   * Step at which schedule linear or cosine reaches its minimum. A whole number of at least 1 (steps).
   * Default: the last step.
   */
  readonly scheduleSteps?: number;
  /** Learning rate at the end of schedule linear or cosine. A number of at least 0. Default: 0. */
  readonly minLearningRate?: number;
  /**
   * Weight decay, not for biases and norms: decoupled for adamw, L2 for adam and sgd. A number of at least 0.
   * Default: 0.
   */
  readonly weightDecay?: number;
  /** Decay rates of the moments of adamw and adam. Default: 0.9,0.98. */
  readonly betas?: readonly [number, number];
  /**
   * Constant in the denominator of the update; of rmsprop inside the root, as in Keras. A number above 0 and
   * below 1. Default: 1e-9; rmsprop: 1e-7.
   */
  readonly eps?: number;
  /** Momentum of sgd. A number of at least 0 and below 1. Default: 0.9. */
  readonly momentum?: number;
  /** Decay rate of the mean square of rmsprop. A number of at least 0 and below 1. Default: 0.9. */
  readonly rho?: number;
  /**
   * Clip gradients to this global norm (0: no clipping). A number of at least 0 (norm). Default: 1; preset
   * keras: 0.
   */
  readonly clipNorm?: number;
  /**
   * Evaluate and save an exponential moving average of the weights with this decay (0: the weights
   * themselves). A number of at least 0 and below 1. Default: 0.
   */
  readonly emaDecay?: number;
  /**
   * Double the loss scale of precision f16 after N steps without overflow (0: never). A whole number of at
   * least 0 (steps). Default: 2000.
   */
  readonly lossScaleGrowth?: number;
  /**
   * Model size. Default: tiny (built-in corpus, built-in tasks), line-tiny (task read-line), small (pairs),
   * keras (preset keras), speech-tiny (clips), that of the model (fine-tuning).
   */
  readonly preset?:
    | 'tiny'
    | 'small'
    | 'mid'
    | 'base'
    | 'keras'
    | 't5-tiny'
    | 'firefox-tiny'
    | 'firefox-base'
    | 'firefox-base-memory'
    | 'speech-tiny'
    | 'line-tiny'
    | 'speech-small';
  /** Change a field of the model configuration, e.g. model heads=4; may be repeated. Default: none. */
  readonly model?: Partial<ModelOptions>;
  /**
   * Layer norm before (pre) or after (post) each sub-layer. Default: post; preset t5-tiny: pre; built-in
   * corpus, built-in tasks, task read-line, clips: pre; fine-tuning: that of the model.
   */
  readonly norm?: 'post' | 'pre';
  /**
   * Dropout rate, or rates by place: embedding, attention, feedForward, residual, memory (encoder output),
   * output (before the output projection), e.g. attention=0.2,output=0.1. Default: that of the preset: keras
   * output=0.5, others 0; pairs, clips: 0.1; fine-tuning: that of the model.
   */
  readonly dropout?: number | Partial<DropoutRates>;
  /**
   * Label smoothing of the loss. A number of at least 0 and below 1. Default: 0; fine-tuning: that of the
   * model.
   */
  readonly labelSmoothing?: number;
  /**
   * Initialize the weights with a scheme (xavier, truncated-normal), or fine-tune the model in this folder
   * (heddle or Hugging Face) with its tokenizers. Default: xavier.
   */
  readonly init?: string;
  /**
   * Source language, if the model in init has languages (M2M100, NLLB, mBART): en, eng_Latn, en_XX. Default:
   * the language of the model.
   */
  readonly sourceLang?: string;
  /** Target language, if the model in init has languages. Default: the language of the model. */
  readonly targetLang?: string;
  /**
   * Freeze parameters whose full name, or its part after any dot, matches one of these globs, e.g.
   * encoder.*,*.bias; may be repeated. Default: none.
   */
  readonly freeze?: readonly string[];
  /**
   * Format of the frozen weights under a LoRA adapter: f16, int8 (one scale per row) or int4 (one per block
   * of 32) saves memory, and changes the default batch to maxTokens 512 gradientAccumulationSteps 2. Default:
   * f32.
   */
  readonly weights?: 'f32' | 'f16' | 'int8' | 'int4' | 'int4-f32' | 'uint4' | 'uint4-f32';
  /**
   * Globs of layers that stay int8 with weights int4, and f32 with others, e.g. *.fc1; auto: the sensitive
   * layers. Default: auto.
   */
  readonly weightsExclude?: readonly string[];
  /**
   * Fraction of the source sentences to hold out for dev, and the same fraction for test (0: none). A number
   * of at least 0 and below 1 (fraction). Default: 0.02.
   */
  readonly heldOut?: number;
  /**
   * Tokenizer to train: a SentencePiece unigram model, byte-pair encoding, words or characters. Default: word
   * (built-in corpus, preset keras), char (built-in tasks, task read-line, clips), unigram (pairs), that of
   * the model (fine-tuning).
   */
  readonly tokenizer?: 'unigram' | 'bpe' | 'word' | 'char';
  /**
   * Maximum size of each vocabulary. A whole number of at least 5 (tokens). Default: unigram 1000 up to
   * 30,000 pairs, 4000 up to 200,000, 8000 up to 1 million, 16000 up to 3 million, else 32000; other
   * tokenizers 8000; built-in corpus, built-in tasks, task read-line, clips: 4000; preset keras: 15000;
   * fine-tuning: that of the model.
   */
  readonly vocabSize?: number;
  /**
   * Lowercase all text, with any tokenizer (--no-lowercase: keep the case). Default: off; preset keras: on;
   * fine-tuning: that of the model.
   */
  readonly lowercase?: boolean;
  /**
   * Write characters without a piece as the pieces of their UTF-8 bytes, so that no token is unknown.
   * Default: on from vocabSize 512.
   */
  readonly byteFallback?: boolean;
  /**
   * Fraction of the characters of the text that get pieces; the others are rare. A number above 0 and at most
   * 1 (fraction). Default: 0.9995.
   */
  readonly characterCoverage?: number;
  /** Make each digit a piece of its own. Default: off. */
  readonly splitDigits?: boolean;
  /** Texts that are always one piece, such as <BT>, the tag of back-translations. Default: none. */
  readonly userSymbols?: readonly string[];
  /** Pieces with an id that no text encodes to. Default: none. */
  readonly controlSymbols?: readonly string[];
  /**
   * Use this tokenizer for both sides instead of training one: a tokenizer.json or a SentencePiece model.
   * Default: train a tokenizer; fine-tuning: that of the model.
   */
  readonly tokenizerFile?: string;
  /**
   * Like tokenizerFile, only for the source. Default: tokenizerFile, or train one; fine-tuning: that of the
   * model.
   */
  readonly sourceTokenizer?: string;
  /**
   * Like tokenizerFile, only for the target. Default: tokenizerFile, or train one; fine-tuning: that of the
   * model.
   */
  readonly targetTokenizer?: string;
  /**
   * Maximum length of source and target; also the number of positions of a new model. A whole number of at
   * least 2 (tokens). Default: the preset's; fine-tuning: that of the model.
   */
  readonly maxLength?: number;
  /** Truncate pairs that are longer than maxLength instead of skipping them. Default: off. */
  readonly truncate?: boolean;
  /** Pad a word vocabulary to vocabSize with unused tokens. Default: off; preset keras: on. */
  readonly fillVocab?: boolean;
  /**
   * Evaluate on the dev pairs every N steps and at the end (0: never). A whole number of at least 0 (steps).
   * Default: 200 (built-in corpus, built-in tasks), 500 (task read-line, pairs, preset keras, clips,
   * fine-tuning).
   */
  readonly evalSteps?: number;
  /** Also evaluate after 25, 50 and 100 steps; these evaluations select no weights. Default: off. */
  readonly earlyEvals?: boolean;
  /**
   * Pair whose attention and most probable next tokens are recorded during training: SOURCE<tab>TARGET, or
   * the word dev for a dev pair. Default: none.
   */
  readonly probe?: string;
  /**
   * Record the probe every N steps, in at most 3 % of the training time (0: never). A whole number of at
   * least 0 (steps). Default: 10.
   */
  readonly probeSteps?: number;
  /**
   * Log the norm of the update divided by the norm of the weights every N steps (0: never). A whole number of
   * at least 0 (steps). Default: 0.
   */
  readonly updateRatioSteps?: number;
  /**
   * Number of dev sentences to translate for BLEU, chrF and exact match. A whole number of at least 0.
   * Default: 200.
   */
  readonly devSentences?: number;
  /** Keep the weights that score best on this dev metric. Default: loss. */
  readonly bestMetric?:
    | 'loss'
    | 'perplexity'
    | 'tokenAccuracy'
    | 'bleu'
    | 'chrf'
    | 'exactMatch'
    | (string & {});
  /**
   * Early stopping: stop after N evaluations without improvement (0: never). A whole number of at least 0.
   * Default: 0.
   */
  readonly patience?: number;
  /** Number of test sentences to translate at the end. A whole number of at least 0. Default: 500. */
  readonly testSentences?: number;
  /**
   * Save a checkpoint every N steps (0: only by time and at the end). A whole number of at least 0 (steps).
   * Default: 0.
   */
  readonly saveSteps?: number;
  /**
   * Save a checkpoint every N seconds, in at most 2 % of the time (0: never). A number of at least 0
   * (seconds). Default: 60.
   */
  readonly saveSeconds?: number;
  /**
   * Keep the weights of the last N checkpoints in folders OUT.step-STEP, for heddle average. A whole number
   * of at least 0. Default: 0.
   */
  readonly keepLast?: number;
  /**
   * Keep the token ids in OUT/tokens.cache, and encoded sources that are no texts in OUT/sources.cache, so
   * that a resumed run starts at once; false deletes them. Default: on.
   */
  readonly keepTokens?: boolean;
  /**
   * Give a new model the fields (norms, positions, one vocabulary) that this format of transformers needs;
   * warn at the start if it cannot be converted, since other settings differ. Default: none.
   */
  readonly exportTo?: 'bart' | 'marian' | 't5';
  /**
   * Write losses, learning rates and dev metrics as TensorBoard event files into this folder, outside the
   * model folder. Default: none.
   */
  readonly tensorboard?: string;
  /** Trains a LoRA adapter; all other weights are frozen. Default: train all weights. */
  readonly lora?: LoraSettings;
}
