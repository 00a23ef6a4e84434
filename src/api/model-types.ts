// The interface of a model: what it can do, the options of its calls, and what they return.

import type { Tensor } from '../core/tensor.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { Inspection, InspectOptions } from '../decode/inspection.ts';
import type { StreamedToken, Translation } from '../decode/translator.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { TrainResult } from '../train/train-arguments.ts';
import type { EvaluateOptions, Evaluation, PairScore } from './evaluate-model.ts';
import type { SaveOptions } from './save-model.ts';

/** Sizes of a batch to plan. */
export interface PlanShape {
  /** Sentences. [1] */
  readonly batch?: number;
  /** Source and target positions. [32, or the model's maximum length if that is less] */
  readonly source?: number;
  readonly target?: number;
}

/** Settings of a call that translates. */
export interface TranslateOptions extends DecodeOptions, LanguageOptions {
  /** Maximum number of sentences that decode together. [32] */
  readonly batchSize?: number;
  /** Maximum number of tokens of a text, with its end token; at most the model's maximum length, which is the default. */
  readonly maxLength?: number;
  /** What to do with a longer text: throw, cut it, or give no translation. ['error'] */
  readonly longTexts?: 'error' | 'crop' | 'skip';
  /** Whether to replace unknown words by the source words that they attend to most. [false] */
  readonly replaceUnknown?: boolean;
  /**
   * Whether to translate each sentence of a text by itself and to join the translations: for documents that are longer
   * than the model takes. The sentences of all texts are sorted by length and decoded in batches. One translation per
   * text, without attention. [false]
   */
  readonly splitSentences?: boolean;
}

/** Settings of `Model.generate`. */
export interface GenerateOptions extends TranslateOptions {
  /** Whether to return the cross-attention of each translation, computed with the weights that made it. [false] */
  readonly attention?: boolean;
  /**
   * Receives each token of the best translations: greedy decoding and sampling only, text after text. `index`: number
   * of the text.
   */
  readonly onPiece?: (piece: StreamedToken, index: number) => void;
}

/** The languages of a multilingual model, as its own codes: `en`, `eng_Latn`, `en_XX`. */
export interface ModelLanguages {
  readonly codes: readonly string[];
  /** Those of a call that names none; undefined if the model states none. */
  readonly source: string | undefined;
  readonly target: string | undefined;
}

/** Cross-attention between a text and its translation. */
export interface Attention {
  /** Labels of the source tokens, S, with the end token. */
  readonly source: readonly string[];
  /** Labels of the target tokens, T; without an end token if the translation reached its maximum length. */
  readonly target: readonly string[];
  readonly layers: number;
  readonly heads: number;
  /** Probabilities [layers, heads, T, S]; each row sums to 1. */
  readonly weights: Float32Array;
}

/** One translation of a text: text, token ids, log-probability and score. */
export interface Generation extends Translation {
  readonly attention?: Attention;
}

/**
 * A model for text to text. `train` and `loadModel` make it. Its weights move to the device at the first call that
 * computes; calls wait for one another. Every call throws a HeddleError that names the option or text that is wrong.
 */
export interface Model {
  readonly config: ModelConfig;
  /** The same object twice if both sides share one tokenizer. */
  readonly tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer };
  /** Number of parameters. */
  readonly parameterCount: number;
  /** Remarks of the loader, for example about fields of a configuration that were ignored. */
  readonly notes: readonly string[];
  /** The languages of a multilingual model (M2M100, NLLB, mBART), for `sourceLang` and `targetLang`. */
  readonly languages?: ModelLanguages;
  /** How the training went, if `train` made the model. */
  readonly training?: TrainResult;

  /**
   * Translates a text, or several in order. The translation of an empty text is empty.
   * @example
   * const one = await model.translate('The tree is 59 yards tall.');
   * const two = await model.translate(['Good morning.', 'Good night.'], { beams: 4, lengthPenalty: 1 });
   * const page = await model.translate('The tree is tall. It is old.\n\nNobody knows how old.', { splitSentences: true });
   */
  translate(text: string, options?: TranslateOptions): Promise<string>;
  /** Translates several texts, in order. */
  translate(texts: readonly string[], options?: TranslateOptions): Promise<string[]>;

  /**
   * Yields the translation of a text in pieces, one for each token that adds text; greedy decoding and sampling only.
   * Leaving the loop stops decoding.
   * @example
   * for await (const piece of model.stream('The tree is 59 yards tall.')) process.stdout.write(piece);
   */
  stream(text: string, options?: DecodeOptions & LanguageOptions): AsyncGenerator<string, void, void>;

  /**
   * The `numReturn` best translations of a text, or of several, best first, with token ids, scores and, on request,
   * cross-attention. An empty text has none.
   * @example
   * const [best] = await model.generate('Good morning.', { beams: 4, numReturn: 3, attention: true });
   * console.log(best?.text, best?.ids, best?.score, best?.attention?.source);
   */
  generate(text: string, options?: GenerateOptions): Promise<Generation[]>;
  /** Generates translations of several texts, in order. */
  generate(texts: readonly string[], options?: GenerateOptions): Promise<Generation[][]>;

  /**
   * Loss, perplexity and token accuracy with the target given (teacher forcing), and BLEU, chrF and exact match of the
   * model's own translations.
   * @example
   * const { loss, bleu } = await model.evaluate([{ source: 'Good morning.', target: 'Buenos días.' }]);
   */
  evaluate(pairs: readonly Pair[], options?: EvaluateOptions): Promise<Evaluation>;

  /**
   * Log-probability of each target, given its source, in total and by token; undefined for a pair that the model does
   * not take.
   * @example
   * const [score] = await model.score([{ source: 'Good morning.', target: 'Buenos días.' }]);
   * console.log(score?.logProb, score?.tokens);
   */
  score(
    pairs: readonly Pair[],
    options?: Pick<EvaluateOptions, 'batchSize' | 'signal' | keyof LanguageOptions>,
  ): Promise<(PairScore | undefined)[]>;

  /**
   * Cross-attention between a text and its best translation.
   * @example
   * const { source, target, weights } = await model.attention('Good morning.');
   */
  attention(text: string, options?: DecodeOptions): Promise<Attention>;

  /**
   * What the model computes for a text and a target: attention of all layers and heads, the most likely next tokens, the
   * loss of each token and, with `tensors`, scores and everything between the layers.
   * @example
   * const { target, next } = await model.inspect('Good morning.', { target: 'Buenos días.' });
   * for (const [t, { label }] of target.entries()) console.log(label, next[t]?.[0]?.label, next[t]?.[0]?.probability);
   */
  inspect(text: string, options?: InspectOptions): Promise<Inspection>;

  /**
   * The plan of decoding as text: passes, shapes, memory.
   * @example
   * console.log(model.plan({ batch: 8, source: 32, target: 32 }));
   */
  plan(shape?: PlanShape): string;

  /**
   * Tensors of the model by their PyTorch names. They are views of the model's memory; do not change them.
   * @example
   * for (const [name, { shape }] of Object.entries(model.weights())) console.log(name, shape);
   */
  weights(): Record<string, Tensor>;

  /**
   * Loads a LoRA adapter of this model under a name; `useLora` switches to it. It need not have the rank and the layers of
   * the others. Throws a HeddleError if it was trained on another model.
   * @example
   * await model.addLora('legal', 'adapters/legal');
   */
  addLora(name: string, folder: string): Promise<void>;

  /**
   * Uses a LoRA adapter in all later calls, or with null none. Nothing is loaded or compiled again.
   * @example
   * model.useLora('legal');
   * console.log(await model.translate('The parties agree.'));
   */
  useLora(name: string | null): void;

  /**
   * Saves the model, with the LoRA adapter in use merged into its weights. In Node `where` is a folder or the path of a .zip file; in a page it is a name in the browser's
   * storage.
   * @example
   * await model.save('out');
   * await model.save('out-bart.zip', { format: 'bart', dtype: 'f16' });
   */
  save(where: string, options?: SaveOptions): Promise<void>;

  /**
   * The model as a zip archive, for a download. `loadModel` reads it.
   * @example
   * const url = URL.createObjectURL(await model.toBlob());
   */
  toBlob(options?: SaveOptions): Promise<Blob>;

  /** Frees the memory on the device. A later call that computes throws. */
  dispose(): void;
}
