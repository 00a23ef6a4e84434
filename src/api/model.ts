// Models: what all have in common, whatever they read, and models of text. A guest has classes of its own for what it
// brings. Each method works on the engine of the model (model-engine.ts). The code that evaluates, inspects and saves is
// imported at its first use, so that a page that only translates does not load it.

import { withCallbacks } from '../core/callbacks.ts';
import { check } from '../core/errors.ts';
import { msg, renderMessage } from '../core/message.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Attention } from '../decode/alignment.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { Inspection, InspectOptions } from '../decode/inspection.ts';
import type {
  GenerateOptions,
  Generation,
  LanguageOptions,
  TranslateOptions,
} from '../decode/text-options.ts';
import type { FolderSource } from '../files/given-files.ts';
import type { Languages, SavedModel } from '../formats/shared/saved-model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { parameterList, tensorsFromWeights } from '../model/parameters.ts';
import { tokens } from '../model/source-kind.ts';
import type { Session } from '../session/session.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { TrainResult } from '../train/run/train-result.ts';
import type { PlanShape } from './decoding-plan.ts';
import type { EvaluateOptions, Evaluation, PairScore } from './evaluate-model.ts';
import { ModelEngine, type ModelParts } from './model-engine.ts';
import type { SaveOptions, Trained } from './save-model.ts';

/** Methods that few programs call, loaded at the first call. */
const later = {
  evaluation: () => import('./evaluate-model.ts'),
  plan: () => import('./decoding-plan.ts'),
  saving: () => import('./save-model.ts'),
};

/** What is behind a model: its engine, and the folder or hub name that it was loaded from. */
interface ModelOrigin {
  readonly engine: ModelEngine;
  readonly name: string;
  /** The saved model, with its weights. */
  saved(): Promise<SavedModel>;
}

const origins = new WeakMap<BaseModel, ModelOrigin>();

/** The origin of a model. Throws a HeddleError for any other value. */
export function originOf(model: BaseModel): ModelOrigin {
  const known = origins.get(model);
  check(known, 'This is not a model of heddle; get one from train() or loadModel()');
  return known;
}

/** Makes a model of a class of a saved one; it computes on a session. Throws a HeddleError if it is no such model. */
export type ModelMaker<M extends BaseModel> = (saved: SavedModel, session: Session, parts?: ModelParts) => M;

/**
 * A model of any kind. Its weights are copied to the device at the first call that computes. Calls run one after the
 * other. Every call throws a HeddleError for an invalid option or source. A call with a signal rejects with its
 * reason, an AbortError, soon after it is aborted, also while it waits for other calls or compiles kernels; what it
 * compiles serves later calls.
 */
export class BaseModel {
  readonly config: ModelConfig;
  /** The tokenizers; the same object if both sides share one, or the source is no text. */
  readonly tokenizers: { readonly source: Tokenizer; readonly target: Tokenizer };
  /** Number of parameters. */
  readonly parameterCount: number;
  /** Messages of the loader, for example about ignored fields of config.json. */
  readonly notes: readonly string[];
  /** Result of the training, if the model comes from a training. */
  readonly training?: TrainResult;
  readonly #engine: ModelEngine;
  /** What a saved model says of its training. */
  readonly #trained: Trained;

  /**
   * A saved model that computes on a session.
   * @internal
   */
  constructor(saved: SavedModel, session: Session, parts: ModelParts = {}) {
    const { config, source, target, notes = [] } = saved;
    const engine = new ModelEngine(saved, session, parts);
    this.#engine = engine;
    this.#trained = { lora: parts.lora, training: parts.training, name: parts.name ?? '' };
    this.config = config;
    this.tokenizers = { source, target };
    this.parameterCount = engine.parameters.count;
    this.notes = notes.map((note) => renderMessage(note));
    this.training = parts.training;
    origins.set(this, { engine, saved: () => engine.whole(), name: parts.name ?? 'model' });
  }

  /**
   * Formats the execution plan of decoding: passes, shapes, memory.
   * @example
   * console.log(await model.plan({ batch: 8, source: 32, target: 32 }));
   */
  async plan(shape: PlanShape = {}): Promise<string> {
    const { decodingPlan } = await later.plan();
    return decodingPlan(this.config, this.#engine.parameters, shape);
  }

  /**
   * Tensors of the model by their PyTorch names. They are views of the model's memory; do not change them.
   * @example
   * for (const [name, { shape }] of Object.entries(model.weights())) console.log(name, shape);
   */
  weights(): Record<string, Tensor> {
    const { saved, parameters } = this.#engine;
    check(
      !saved.stored,
      msg`only the device has the weights, in ${parameters.quantization?.format ?? 'f32'}; load with weights f32, inMemory`,
      { area: 'weights' },
    );
    return tensorsFromWeights(parameterList(this.config, saved.sourceKind), saved.weights);
  }

  /**
   * Loads a LoRA adapter under a name, for `useLora`: its folder, or the files of it. LoRA adapters may differ in
   * rank and layers. Throws a HeddleError if one was trained on another model.
   * @example
   * await model.addLora('legal', 'adapters/legal');
   */
  addLora(name: string, adapter: FolderSource): Promise<void> {
    return this.#engine.addLora(name, adapter);
  }

  /**
   * Switches to a loaded LoRA adapter for all later calls; null: to none. Nothing is loaded or compiled
   * again.
   * @example
   * model.useLora('legal');
   * console.log(await model.translate('The parties agree.'));
   */
  useLora(name: string | null): void {
    this.#engine.useLora(name);
  }

  /**
   * Saves the model. A LoRA adapter in use is merged into the weights. In Node the first argument is a folder
   * or the path of a .zip file; in a page it is a name in the browser's storage.
   * @example
   * await model.save('out');
   * await model.save('out-bart.zip', { format: 'bart', dtype: 'f16' });
   */
  async save(where: string, options: SaveOptions = {}): Promise<void> {
    const { saveModel } = await later.saving();
    await withCallbacks(options, (watched) => saveModel(this.#engine, where, this.#trained, watched));
  }

  /**
   * Returns the model as a zip archive, for a download. `loadModel` reads it.
   * @example
   * const url = URL.createObjectURL(await model.toBlob());
   */
  async toBlob(options: SaveOptions = {}): Promise<Blob> {
    const { exportModel } = await later.saving();
    return withCallbacks(options, (watched) => exportModel(this.#engine, this.#trained, watched));
  }

  /** Frees the device memory. Calls that compute then throw a HeddleError. */
  dispose(): void {
    void this.#engine.dispose();
  }

  /**
   * `dispose` at the end of a block.
   * @example
   * using model = await loadModel('out');
   * console.log(await model.translate('Good morning.'));
   */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `dispose`, for `await using`; waits until the memory is free. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine.dispose();
  }
}

/** The languages of a multilingual model, by the codes of the model: `en`, `eng_Latn`, `en_XX`. */
export interface ModelLanguages {
  readonly codes: readonly string[];
  /** Default source and target language; undefined if the model has none. */
  readonly source: string | undefined;
  readonly target: string | undefined;
}

/** A model from text to text; the result of `train` and `loadModel`. */
export class Model extends BaseModel {
  /** The languages of a multilingual model, for `sourceLang` and `targetLang`: M2M100, NLLB, mBART. */
  readonly languages?: ModelLanguages;

  /**
   * A saved model that computes on a session; `train` and `loadModel` create it. Throws a HeddleError if it reads no
   * text.
   * @internal
   */
  constructor(saved: SavedModel, session: Session, parts: ModelParts = {}) {
    const { languages, sourceKind = tokens } = saved;
    check(
      sourceKind.name === tokens.name,
      () => msg`${parts.name ?? 'The model'} reads no text; open it with ${sourceKind.openedBy}`,
      { kind: 'unsupported' },
    );
    super(saved, session, parts);
    this.languages = languages && modelLanguages(languages);
  }

  get #engine(): ModelEngine {
    return originOf(this).engine;
  }

  /**
   * Translates a text, or several texts in order. The translation of an empty text is empty.
   * @example
   * const one = await model.translate('The tree is 59 yards tall.');
   * const two = await model.translate(['Good morning.', 'Good night.'], { beams: 4, lengthPenalty: 1 });
   * const page = await model.translate('The tree is tall. It is old.\n\nNobody knows how old.', {
   *   splitSentences: true,
   * });
   */
  translate(text: string, options?: TranslateOptions): Promise<string>;
  /** Translates several texts, in order. */
  translate(texts: readonly string[], options?: TranslateOptions): Promise<string[]>;
  async translate(
    texts: string | readonly string[],
    options: TranslateOptions = {},
  ): Promise<string | string[]> {
    const generations = await this.#generate([texts].flat(), options);
    const best = generations.map(([translation]) => translation?.text ?? '');
    return typeof texts === 'string' ? (best[0] as string) : best;
  }

  /**
   * Yields the translation of a text in pieces, one for each token that has text; only for greedy decoding
   * and sampling. Decoding stops if you leave the loop.
   * @example
   * for await (const piece of model.stream('The tree is 59 yards tall.')) process.stdout.write(piece);
   */
  async *stream(
    text: string,
    options: DecodeOptions & LanguageOptions = {},
  ): AsyncGenerator<string, void, void> {
    for await (const piece of this.#engine.stream(text, options)) if (piece.text) yield piece.text;
  }

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
  async generate(
    texts: string | readonly string[],
    options: GenerateOptions = {},
  ): Promise<Generation[] | Generation[][]> {
    const generations = await this.#generate([texts].flat(), options);
    return typeof texts === 'string' ? (generations[0] as Generation[]) : generations;
  }

  /**
   * Loss, perplexity and token accuracy with the target given (teacher forcing), and BLEU, chrF and exact
   * match of the model's own translations.
   * @example
   * const { loss, bleu } = await model.evaluate([{ source: 'Good morning.', target: 'Buenos días.' }]);
   */
  evaluate(pairs: readonly Pair[], options: EvaluateOptions = {}): Promise<Evaluation> {
    return withCallbacks(options, (watched) =>
      this.#engine.inTurn(async () => {
        const { evaluateModel } = await later.evaluation();
        return evaluateModel(this.#engine, pairs, watched);
      }, watched.signal),
    );
  }

  /**
   * Log-probability of each target given its source, in total and by token; undefined for a pair that is too
   * long or has an empty side.
   * @example
   * const [score] = await model.score([{ source: 'Good morning.', target: 'Buenos días.' }]);
   * console.log(score?.logProb, score?.tokens);
   */
  score(
    pairs: readonly Pair[],
    options: Pick<EvaluateOptions, 'batchSize' | 'signal' | keyof LanguageOptions> = {},
  ): Promise<(PairScore | undefined)[]> {
    return this.#engine.inTurn(async () => {
      const { scorePairs } = await later.evaluation();
      return scorePairs(this.#engine, pairs, options);
    }, options.signal);
  }

  /**
   * Cross-attention between a text and its best translation.
   * @example
   * const { source, target, weights } = await model.attention('Good morning.');
   */
  async attention(text: string, options: DecodeOptions = {}): Promise<Attention> {
    const [best] = await this.generate(text, { ...options, attention: true });
    check(best?.attention, 'the text is empty', { area: 'attention' });
    return best.attention;
  }

  /**
   * Intermediate results for a text and a target: attention of all layers and heads, the most probable next
   * tokens, the loss of each token and, with `tensors`, attention scores and hidden states. `ablate` switches parts
   * off, `patch` takes activations of another sentence, and `lens` reads the residual stream after each layer; without
   * a target the result is the greedy translation under these interventions. `modelParts` names the parts.
   * @example
   * const { target, next } = await model.inspect('Good morning.', { target: 'Buenos días.' });
   * for (const [t, { label }] of target.entries()) console.log(label, next[t]?.[0]?.label, next[t]?.[0]?.probability);
   * const { targetText } = await model.inspect('Good morning.', {
   *   ablate: ['decoder.1.cross.2', { part: 'decoder.*.cross', keys: [0] }],
   * });
   */
  async inspect(text: string, options: InspectOptions = {}): Promise<Inspection> {
    const { sourceLang, targetLang, ablate = [], patch = [] } = options;
    const greedy = async () =>
      ablate.length + patch.length > 0
        ? undefined
        : ((await this.generate(text, { sourceLang, targetLang }))[0]?.ids ?? []);
    const target = options.target ?? (await greedy());
    const ids = typeof target === 'string' ? this.tokenizers.target.encode(target) : target;
    return this.#engine.inTurn(() => this.#engine.inspect(text, ids, options));
  }

  #generate(texts: readonly string[], given: GenerateOptions): Promise<Generation[][]> {
    return withCallbacks(given, (options) =>
      this.#engine.inTurn(() => this.#engine.generate(texts, options), options.signal),
    );
  }
}

const modelLanguages = ({ ids, source, target }: Languages): ModelLanguages => ({
  codes: [...ids.keys()],
  source,
  target,
});

/** Makes a model of text. */
export const textModel: ModelMaker<Model> = (saved, session, parts) => new Model(saved, session, parts);

/** Makes a model of any kind, which can be saved. */
export const anyModel: ModelMaker<BaseModel> = (saved, session, parts) =>
  new BaseModel(saved, session, parts);
