// The interface of a model: its methods, their options and results.

import type { Tensor } from '../core/tensor.ts';
import type { Attention } from '../decode/alignment.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { Inspection, InspectOptions } from '../decode/inspection.ts';
import type { StreamedToken, Translation } from '../decode/translator.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import type { EvaluateOptions, Evaluation, PairScore } from './evaluate-model.ts';
import type { SaveOptions } from './save-model.ts';

/** Shape of a batch for `Model.plan`; in heddle plan: --batch-size, --source-length, --target-length. */
export interface PlanShape {
  /** Number of sentences. [1] */
  readonly batch?: number;
  /** Number of source and target positions. [32, or the model's maximum length if it is less] */
  readonly source?: number;
  readonly target?: number;
}

/** Options of the calls that translate. */
export interface TranslateOptions extends DecodeOptions, LanguageOptions {
  /** Maximum number of sentences in a batch. [32] */
  readonly batchSize?: number;
  /**
   * Maximum number of tokens of a text, with the end token. [the model's maximum length, which is also the
   * limit]
   */
  readonly maxLength?: number;
  /** Whether a longer text throws an error, is cut, or gets an empty translation. ['error'] */
  readonly longTexts?: 'error' | 'crop' | 'skip';
  /** Whether to replace an unknown word by the source word that it attends to most. [false] */
  readonly replaceUnknown?: boolean;
  /**
   * Whether to split texts into sentences, translate these and join the translations: for documents above the
   * maximum length. The sentences of all texts are sorted by length and decoded in batches. Gives one
   * translation per text, without attention. [false]
   */
  readonly splitSentences?: boolean;
}

/** Options of `Model.generate`. */
export interface GenerateOptions extends TranslateOptions {
  /** Whether to return the cross-attention of each translation. [false] */
  readonly attention?: boolean;
  /**
   * Receives each token of the best translations, one text after the other; only for greedy decoding and
   * sampling. `index`: index of the text.
   */
  readonly onPiece?: (piece: StreamedToken, index: number) => void;
}

/** The languages of a multilingual model, by the codes of the model: `en`, `eng_Latn`, `en_XX`. */
export interface ModelLanguages {
  readonly codes: readonly string[];
  /** Default source and target language; undefined if the model has none. */
  readonly source: string | undefined;
  readonly target: string | undefined;
}

/** A translation of a text, with token ids, log-probability and score. */
export interface Generation extends Translation {
  readonly attention?: Attention;
}

/**
 * A sequence-to-sequence model; the result of `train` and `loadModel`. Its weights are copied to the device
 * at the first call that computes. Calls run one after the other. Every call throws a HeddleError for an
 * invalid option or text.
 */
export interface Model {
  readonly config: ModelConfig;
  /** The tokenizers; the same object if both sides share one. */
  readonly tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer };
  /** Number of parameters. */
  readonly parameterCount: number;
  /** Messages of the loader, for example about ignored fields of config.json. */
  readonly notes: readonly string[];
  /** The languages of a multilingual model (M2M100, NLLB, mBART), for `sourceLang` and `targetLang`. */
  readonly languages?: ModelLanguages;
  /** Result of the training, if the model comes from `train`. */
  readonly training?: TrainResult;

  /**
   * Translates a text, or several texts in order. The translation of an empty text is empty.
   * @example
   * const one = await model.translate('The tree is 59 yards tall.');
   * const two = await model.translate(['Good morning.', 'Good night.'], { beams: 4, lengthPenalty: 1 });
   * const page = await model.translate('The tree is tall. It is old.\n\nNobody knows how old.', { splitSentences: true });
   */
  translate(text: string, options?: TranslateOptions): Promise<string>;
  /** Translates several texts, in order. */
  translate(texts: readonly string[], options?: TranslateOptions): Promise<string[]>;

  /**
   * Yields the translation of a text in pieces, one for each token that has text; only for greedy decoding
   * and sampling. Decoding stops if you leave the loop.
   * @example
   * for await (const piece of model.stream('The tree is 59 yards tall.')) process.stdout.write(piece);
   */
  stream(text: string, options?: DecodeOptions & LanguageOptions): AsyncGenerator<string, void, void>;

  /**
   * The `numReturn` best translations of a text or of several texts, best first, with token ids and scores,
   * and with cross-attention if `attention` is true. An empty text has none.
   * @example
   * const [best] = await model.generate('Good morning.', { beams: 4, numReturn: 3, attention: true });
   * console.log(best?.text, best?.ids, best?.score, best?.attention?.source);
   */
  generate(text: string, options?: GenerateOptions): Promise<Generation[]>;
  /** Generates translations of several texts, in order. */
  generate(texts: readonly string[], options?: GenerateOptions): Promise<Generation[][]>;

  /**
   * Loss, perplexity and token accuracy with the target given (teacher forcing), and BLEU, chrF and exact
   * match of the model's own translations.
   * @example
   * const { loss, bleu } = await model.evaluate([{ source: 'Good morning.', target: 'Buenos días.' }]);
   */
  evaluate(pairs: readonly Pair[], options?: EvaluateOptions): Promise<Evaluation>;

  /**
   * Log-probability of each target given its source, in total and by token; undefined for a pair that is too
   * long or has an empty side.
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
   * Intermediate results for a text and a target: attention of all layers and heads, the most probable next
   * tokens, the loss of each token and, with `tensors`, attention scores and hidden states.
   * @example
   * const { target, next } = await model.inspect('Good morning.', { target: 'Buenos días.' });
   * for (const [t, { label }] of target.entries()) console.log(label, next[t]?.[0]?.label, next[t]?.[0]?.probability);
   */
  inspect(text: string, options?: InspectOptions): Promise<Inspection>;

  /**
   * Formats the execution plan of decoding: passes, shapes, memory.
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
   * Loads a LoRA adapter under a name, for `useLora`. LoRA adapters may differ in rank and layers. Throws a
   * HeddleError if one was trained on another model.
   * @example
   * await model.addLora('legal', 'adapters/legal');
   */
  addLora(name: string, folder: string): Promise<void>;

  /**
   * Switches to a loaded LoRA adapter for all later calls; null: to none. Nothing is loaded or compiled
   * again.
   * @example
   * model.useLora('legal');
   * console.log(await model.translate('The parties agree.'));
   */
  useLora(name: string | null): void;

  /**
   * Saves the model. A LoRA adapter in use is merged into the weights. In Node the first argument is a folder
   * or the path of a .zip file; in a page it is a name in the browser's storage.
   * @example
   * await model.save('out');
   * await model.save('out-bart.zip', { format: 'bart', dtype: 'f16' });
   */
  save(where: string, options?: SaveOptions): Promise<void>;

  /**
   * Returns the model as a zip archive, for a download. `loadModel` reads it.
   * @example
   * const url = URL.createObjectURL(await model.toBlob());
   */
  toBlob(options?: SaveOptions): Promise<Blob>;

  /** Frees the device memory. Calls that compute then throw a HeddleError. */
  dispose(): void;
}
