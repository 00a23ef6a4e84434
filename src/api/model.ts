// A model that translates: its configuration, tokenizers and weights, with an engine that starts at its first use. A page
// that only translates does not load the code that evaluates, inspects and saves: import() fetches it at its first use.

import { check, HeddleError } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import { plainGreedy, sourceGraph, stepGraph } from '../decode/decoding-graphs.ts';
import type { createModelInspector, Inspection, InspectOptions } from '../decode/model-inspector.ts';
import { createTranslator, type StreamedToken, type Translation, type Translator } from '../decode/translator.ts';
import type { Engine } from '../engine/engine.ts';
import { readWeights, writeWeights } from '../engine/model-states.ts';
import type { LanguageOptions } from '../formats/hf/languages.ts';
import type { SavedLora } from '../formats/lora-folder.ts';
import type { Languages, SavedModel } from '../formats/shared/saved-model.ts';
import type { ModelConfig } from '../model/model-config.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { weightBytes } from '../model/parameter-layout.ts';
import { parameterList, tensorsFromWeights } from '../model/parameters.ts';
import type { WeightFormat } from '../model/quantized-parameters.ts';
import { defaultTraits } from '../ops/op.ts';
import { printPlan } from '../plan/plan.ts';
import { makePlan } from '../plan/planner.ts';
import type { JobContext } from '../runtime/job.ts';
import { namesLanguage } from '../runtime/open-model.ts';
import type { Pair } from '../text/corpus/pairs.ts';
import { type Tokenizer, tokenLabel } from '../text/tokenizers/tokenizer.ts';
import type { TrainResult } from '../train/train-arguments.ts';
import type { EvaluateOptions, Evaluation, PairScore } from './evaluate-model.ts';
import type { SaveOptions, TrainedLora } from './save-model.ts';

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

/** Where a model computes. */
export interface ModelHost extends Pick<JobContext, 'files' | 'emit' | 'engine' | 'lost' | 'reopen'> {
  /** Called by `dispose`. */
  readonly close?: () => Promise<void>;
  /** Path that `save` writes for a name. */
  readonly modelPath?: (name: string) => string;
}

/** What else is known of a model. */
export interface ModelParts {
  /** Storage of the weights on the device, as in `parameters`; default f32. */
  readonly weights?: WeightFormat | undefined;
  /** The trained LoRA adapter, whose update the weights contain. */
  readonly lora?: TrainedLora | undefined;
  readonly training?: TrainResult | undefined;
  /** Engine of a running training, which has the weights: the model only decodes, and does not free the engine. */
  readonly engine?: Engine | undefined;
  /** The weights on the engine, with their storage, LoRA adapter and ensemble. [those of the model in `weights`] */
  readonly parameters?: ParameterList | undefined;
  /** The further models of the ensemble in `parameters`. */
  readonly ensemble?: readonly SavedModel[];
  /** Where the model was loaded from; default 'model'. */
  readonly name?: string | undefined;
}

/** A model on an engine. `translators`: one for each batch size and maximum lengths. */
interface Loaded {
  readonly engine: Engine;
  readonly translators: Map<string, Promise<Translator>>;
  inspect?: ReturnType<typeof createModelInspector> | undefined;
  written: boolean;
  /** The LoRA adapter on the engine, null for none; undefined until one is written. */
  lora?: string | null | undefined;
}

/** Translators that an engine holds before it is replaced by a new one, so that memory stays bounded. */
const maxTranslators = 16;

/** Bytes that the keys and values of one decoder layer may take; larger batches are split. */
const maxCacheBytes = 128 * 2 ** 20;

/** Data of a model for `train`: the saved model, and the folder or hub name it was loaded from. */
interface Internals {
  /** With all weights. */
  saved(): Promise<SavedModel>;
  readonly name: string;
}

const internals = new WeakMap<Model, Internals>();

/** The internals of a model. Throws a HeddleError if it is none. */
export function internalsOf(model: Model): Internals {
  const found = internals.get(model);
  check(found, 'This is not a model of heddle: train() and loadModel() make one');
  return found;
}

/** Puts the weights of a model on the engine. */
const putWeights = async (engine: Engine, c: ModelConfig, p: ParameterList, { stored, weights }: SavedModel) =>
  stored ? readWeights(engine, c, p, stored) : writeWeights(engine, c, p, weights);

/** Makes a model of its parts. */
export function createModel(saved: SavedModel, host: ModelHost, parts: ModelParts = {}): Model {
  const { config, source, target, weights, decode: rules } = saved;
  const { weights: format = 'f32', ensemble = [] } = parts;
  check(format === 'f32' || parts.parameters, `weights in ${format} need the parameters of that format`);
  const plain = parts.parameters ?? parameterList(config);
  let parameters = plain;
  // LoRA adapters that switch at run time, the chosen one, and that of the work in turn.
  const loras = new Map<string, SavedLora>();
  let chosen: string | null = null;
  let active: string | null = null;
  let loaded: Promise<Loaded> | undefined;
  let disposed = false;
  let fingerprint: Promise<string> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const load = (): Promise<Loaded> => {
    check(!disposed, 'The model is disposed; load it again');
    const written = parts.engine !== undefined;
    loaded ??= (async () => {
      const engine = parts.engine ?? (await host.engine());
      return { engine, translators: new Map(), written };
    })();
    loaded.catch(() => {
      loaded = undefined;
    });
    return loaded;
  };
  const unload = async (): Promise<void> => {
    const before = loaded;
    loaded = undefined;
    if (!parts.engine) (await before?.catch(() => undefined))?.engine.destroy();
  };
  /** Puts the weights and the LoRA adapter on the engine, whose states exist after its first plans. */
  const writeOnce = async (it: Loaded, peak: number): Promise<void> => {
    const { adapter } = parameters;
    if (adapter && loras.size > 0 && it.lora !== active) {
      const lora = active === null ? undefined : loras.get(active);
      const { widenLora } = await import('../model/lora.ts');
      it.engine.write(adapter.state, widenLora(config, adapter.lora, lora));
      it.lora = active;
    }
    if (it.written) return;
    await putWeights(it.engine, config, parameters, saved);
    for (const [i, { config: c, parameters: p }] of (parameters.ensemble?.others ?? []).entries())
      await putWeights(it.engine, c, p, ensemble[i] as SavedModel);
    it.written = true;
    if (format === 'f32') return;
    const { describeWeights } = await import('../model/quantized-parameters.ts');
    host.emit({ type: 'message', text: describeWeights(config, format, { weights: weightBytes(parameters), peak }) });
  };
  const wholeModel = async (): Promise<SavedModel> =>
    saved.stored ? { ...(await saved.stored.whole()), config, source, target, ...(rules && { decode: rules }) } : saved;
  /** The model to save: with the chosen LoRA adapter merged into its weights. */
  const mergedModel = async (): Promise<SavedModel> => {
    const lora = chosen === null ? undefined : loras.get(chosen);
    const whole = await wholeModel();
    return lora ? (await import('../formats/lora-folder.ts')).mergedWith(whole, lora) : whole;
  };
  const translatorFor = async (
    { fitting, ...shape }: TranslatorShape & { readonly fitting: number },
    decode: DecodeOptions,
  ): Promise<Translator> => {
    let it = await load();
    const key = JSON.stringify(shape);
    // A translator that is a little larger saves the plans of one more shape, for texts that come one after the other.
    const fits = [...it.translators.keys()].find((other) => {
      const { batch, maxSource, maxTarget } = JSON.parse(other) as TranslatorShape;
      const wide = batch >= shape.batch && batch <= 4 * shape.batch;
      return (
        wide &&
        batch <= fitting &&
        maxTarget === shape.maxTarget &&
        maxSource >= shape.maxSource &&
        maxSource <= 2 * shape.maxSource
      );
    });
    if (fits === undefined && !it.translators.has(key) && it.translators.size >= maxTranslators) {
      await unload();
      it = await load();
    }
    let made = it.translators.get(fits ?? key);
    if (!made) {
      const model = { config, source, target, ...(rules && { decode: rules }) };
      made = createTranslator(it.engine, model, { ...shape, firstCall: decode, parameters });
      it.translators.set(key, made);
      made.catch(() => it.translators.delete(key));
    }
    const translator = await made;
    await writeOnce(it, translator.bytes.peak);
    return translator;
  };
  /** Runs work when all earlier work has ended; once more on a new device if the device was lost. */
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const [before, lora] = [last, chosen];
    let end = () => {};
    last = new Promise<void>((resolve) => {
      end = resolve;
    });
    await before;
    active = lora;
    try {
      return await work();
    } catch (error) {
      if (disposed || !host.reopen || (await host.lost?.()) === undefined) throw error;
      await unload();
      await host.reopen();
      return await work();
    } finally {
      end();
    }
  };

  /** The model in the languages of a call. Throws a HeddleError if it does not have them. */
  const speak = async ({ sourceLang, targetLang }: LanguageOptions): Promise<SavedModel> => {
    const languages = { sourceLang, targetLang };
    return namesLanguage(languages)
      ? (await import('../formats/hf/languages.ts')).withLanguages(saved, languages)
      : saved;
  };
  /** Options of decoding, with the start or the first token that the target language asks for. */
  const decodingIn = <O extends LanguageOptions>(
    { sourceLang: _, targetLang, ...decode }: O,
    { config: { startId }, decode: { forcedBosTokenId } = {} }: SavedModel,
  ) => ({
    ...(startId !== config.startId && { decoderStartTokenId: startId }),
    ...(targetLang !== undefined && forcedBosTokenId !== undefined && { forcedBosTokenId }),
    ...decode,
  });

  /** Numbers of the texts that have tokens, and the shape of a translator for them. */
  const prepare = (
    texts: readonly string[],
    { source }: Pick<SavedModel, 'source'>,
    { batchSize = 32, beams = 1, numReturn = 1, maxNewTokens, maxLength = config.maxLength, ...o }: TranslateOptions,
    numberOf: (index: number) => number = (index) => index + 1,
  ) => {
    check(
      Number.isSafeInteger(batchSize) && batchSize > 0,
      `batchSize is ${batchSize}, it must be a whole number of at least 1`,
    );
    check(
      texts.every((text) => typeof text === 'string'),
      'translate: a text must be a string',
    );
    const { longTexts = 'error' } = o;
    const limit = checkedMaxLength(maxLength, config);
    const encoded = texts.map((text) => [...source.encode(text), source.special.end]);
    const full: number[] = [];
    for (const [i, ids] of encoded.entries()) {
      if (ids.length > limit && longTexts === 'error')
        throw new HeddleError(
          `translate: ${describeLong(numberOf(i), ids.length, limit)}: "${texts[i]?.slice(0, 60)}"`,
        );
      if (ids.length > limit && longTexts === 'crop') ids.splice(limit - 1, ids.length - limit);
      if (ids.length > 1 && ids.length <= limit) full.push(i);
    }
    const longest = full.reduce((n, i) => Math.max(n, (encoded[i] as number[]).length), 1);
    const maxTarget = Math.min(config.maxLength, Math.max(1, maxNewTokens ?? config.maxLength));
    const rowBytes = 8 * config.decoderHeads * config.decoderHeadWidth * maxTarget * Math.max(beams, numReturn);
    const fitting = Math.max(1, Math.floor(maxCacheBytes / rowBytes));
    const batch = Math.min(batchSize, powerOfTwo(full.length), fitting);
    const least = batch <= fewTexts ? commonLength : 1;
    const maxSource = Math.min(config.maxLength, Math.max(least, paddedLength(longest)));
    const shape = { fitting, batch, maxSource, maxTarget };
    return { full, encoded, shape };
  };

  /** Translates texts, or each sentence of them. */
  const generate = async (
    texts: readonly string[],
    { splitSentences: splits = false, ...options }: GenerateOptions,
  ): Promise<Generation[][]> => {
    if (!splits) return generateWhole(texts, options);
    const { attention, onPiece, numReturn = 1 } = options;
    check(
      !attention && !onPiece && numReturn === 1,
      'splitSentences gives one translation per text; leave out attention, onPiece and numReturn',
    );
    const { splitSentences } = await import('../text/sentences.ts');
    const parts = texts.map(splitSentences);
    const owners = parts.flatMap(({ sentences }, i) => sentences.map(() => i + 1));
    const sentences = parts.flatMap((part) => part.sentences);
    const found = await generateWhole(sentences, options, (i) => owners[i] as number);
    let at = 0;
    return parts.map(({ sentences: { length }, join }) => {
      const own = found.slice(at, at + length);
      at += length;
      const best = own.flatMap(([first]) => (first ? [first] : []));
      if (best.length === 0) return [];
      const sum = (of: 'score' | 'logProb') => best.reduce((n, translation) => n + translation[of], 0);
      return [
        {
          text: join(own.map(([first]) => first?.text ?? '')),
          ids: best.flatMap(({ ids }) => ids),
          ...{ score: sum('score'), logProb: sum('logProb'), ended: best.every(({ ended }) => ended) },
        },
      ];
    });
  };

  const generateWhole = async (
    texts: readonly string[],
    options: GenerateOptions,
    numberOf?: (index: number) => number,
  ): Promise<Generation[][]> => {
    const { attention = false, onPiece, batchSize, replaceUnknown: replaces, longTexts, maxLength, ...given } = options;
    const spoken = await speak(given);
    const decode = decodingIn(given, spoken);
    const { full, encoded, shape } = prepare(texts, spoken, options, numberOf);
    const out: Generation[][] = texts.map(() => []);
    if (full.length === 0) return out;
    const translator = await translatorFor(onPiece ? { ...shape, batch: 1 } : shape, decode);
    if (onPiece)
      for (const [place, i] of full.entries()) {
        const ids: number[] = [];
        let said = '';
        for await (const piece of translator.stream(encoded[i] as number[], decode, place)) {
          if (piece.id !== config.endId) ids.push(piece.id);
          said += piece.text;
          onPiece(piece, i);
        }
        const ended = ids.length < (decode.maxNewTokens ?? shape.maxTarget);
        out[i] = [{ ids, text: said, score: Number.NaN, logProb: Number.NaN, ended }];
      }
    else {
      const found = await translator.generate(
        full.map((i) => encoded[i] as number[]),
        decode,
      );
      for (const [k, i] of full.entries()) out[i] = found[k] ?? [];
    }
    for (const i of attention ? full : []) {
      decode.signal?.throwIfAborted();
      const found: Generation[] = [];
      for (const translation of out[i] as Generation[])
        found.push({
          ...translation,
          attention: await attentionOf(spoken, translator, encoded[i] as number[], translation),
        });
      out[i] = found;
    }
    if (!replaces) return out;
    const { replaceUnknown } = await import('../decode/replace-unknown.ts');
    for (const i of full) {
      const replaced = (out[i] as Generation[]).map(async (found): Promise<Generation> => {
        if (!found.ids.includes(target.special.unknown)) return found;
        decode.signal?.throwIfAborted();
        const alignment = await translator.align(encoded[i] as number[], found.ids, spoken.config.startId);
        return { ...found, text: replaceUnknown(spoken.source, target, texts[i] as string, found.ids, alignment) };
      });
      out[i] = await Promise.all(replaced);
    }
    return out;
  };

  const model: Model = {
    config,
    tokenizers: { source, target },
    parameterCount: parameters.count,
    notes: saved.notes ?? [],
    ...(saved.languages && { languages: modelLanguages(saved.languages) }),
    ...(parts.training && { training: parts.training }),
    translate: (async (texts: string | readonly string[], options: TranslateOptions = {}) => {
      const found = await inTurn(() => generate([texts].flat(), options));
      const best = found.map(([translation]) => translation?.text ?? '');
      return typeof texts === 'string' ? best[0] : best;
    }) as Model['translate'],
    async *stream(text, given = {}) {
      const spoken = await speak(given);
      const options = decodingIn(given, spoken);
      const { full, encoded, shape } = prepare([text], spoken, options);
      if (full.length === 0) return;
      // The turn lasts until the loop ends, which `return` of this generator reports.
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      const started = new Promise<Translator>((resolve, reject) => {
        inTurn(async () => {
          resolve(await translatorFor(shape, options));
          await over;
        }).catch(reject);
      });
      try {
        for await (const piece of (await started).stream(encoded[0] as number[], options))
          if (piece.text) yield piece.text;
      } finally {
        end();
      }
    },
    generate: (async (texts: string | readonly string[], options: GenerateOptions = {}) => {
      const found = await inTurn(() => generate([texts].flat(), options));
      return typeof texts === 'string' ? found[0] : found;
    }) as Model['generate'],
    evaluate: (pairs, options = {}) =>
      inTurn(async () => {
        const [it, { evaluateModel }] = await Promise.all([load(), import('./evaluate-model.ts')]);
        return evaluateModel(await speak(options), pairs, options, {
          engine: it.engine,
          parameters,
          emit: host.emit,
          written: (peak) => writeOnce(it, peak),
          translate: async (texts, decode) => (await generate(texts, decode)).map(([best]) => best?.text ?? ''),
        });
      }),
    score: (pairs, options = {}) =>
      inTurn(async () => {
        const [it, { scorePairs }] = await Promise.all([load(), import('./evaluate-model.ts')]);
        const written = (peak: number) => writeOnce(it, peak);
        return scorePairs(await speak(options), pairs, options, {
          engine: it.engine,
          parameters,
          emit: host.emit,
          written,
        });
      }),
    async attention(text, options = {}) {
      const [best] = await model.generate(text, { ...options, attention: true });
      check(best?.attention, 'attention: the text is empty');
      return best.attention;
    },
    async inspect(text, options = {}) {
      const { target: given } = options;
      const written = given ?? (await model.generate(text))[0]?.ids ?? [];
      const read = typeof written === 'string' ? target.encode(written) : written;
      const ids = [...source.encode(text), source.special.end];
      return inTurn(async () => {
        const { shape } = prepare([text], saved, {});
        await translatorFor(shape, {}); // which puts the weights on the engine
        const it = await load();
        const { createModelInspector } = await import('../decode/model-inspector.ts');
        it.inspect ??= createModelInspector(it.engine, { config, source, target }, parameters);
        return it.inspect(ids, read, options);
      });
    },
    plan: (shape) => decodingPlan(config, parameters, shape),
    weights() {
      check(
        !saved.stored,
        `weights: those of this model are only on the device, as ${format}; load it with weights f32`,
      );
      return tensorsFromWeights(parameterList(config), weights);
    },
    async addLora(name, folder) {
      const { checkLoraBase, fingerprintOfModel, loadLora } = await import('../formats/lora-folder.ts');
      const { adaptedParameters, commonLora, loraParameters } = await import('../model/lora.ts');
      const found = await loadLora(host.files, host.modelPath?.(folder) ?? folder, config);
      await inTurn(async () => {
        fingerprint ??= fingerprintOfModel(saved);
        checkLoraBase(folder, found, await fingerprint);
        loras.set(name, found);
        const lora = commonLora(
          config,
          [...loras.values()].map((own) => own.lora),
        );
        const it = loaded && (await loaded);
        if (it) it.lora = undefined; // an adapter of this name may be there
        const before = parameters.adapter?.lora;
        if (JSON.stringify(lora) === JSON.stringify(before)) return;
        // Plans of the new layers or rank are made when they are needed; the weights stay where they are.
        parameters = adaptedParameters(plain, lora, `lora.${loraParameters(config, lora).size}`);
        it?.translators.clear();
        if (it) it.inspect = undefined;
      });
    },
    useLora(name) {
      check(
        name === null || loras.has(name),
        () =>
          `useLora: there is no adapter ${name}; there are ${[...loras.keys()].join(', ') || 'none, addLora loads one'}`,
      );
      chosen = name;
    },
    async save(where, options) {
      const { saveModel } = await import('./save-model.ts');
      const path = (host.modelPath ?? ((name) => name))(where);
      return saveModel(host.files, path, await mergedModel(), parts.lora, options);
    },
    async toBlob(options) {
      const { exportModel } = await import('./save-model.ts');
      return new Blob((await exportModel(await mergedModel(), parts.lora, options)) as BlobPart[], {
        type: 'application/zip',
      });
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      void unload().then(() => host.close?.());
    },
  };
  internals.set(model, { saved: wholeModel, name: parts.name ?? 'model' });
  return model;
}

const modelLanguages = ({ ids, source, target }: Languages): ModelLanguages => ({
  codes: [...ids.keys()],
  source,
  target,
});

/** Sizes of a translator: sentences a batch, and maximum numbers of source and target tokens. */
interface TranslatorShape {
  readonly batch: number;
  readonly maxSource: number;
  readonly maxTarget: number;
}

/** A maximum length of texts. Throws a HeddleError if the model has fewer positions. */
export function checkedMaxLength(maxLength: number, config: ModelConfig): number {
  check(
    maxLength <= config.maxLength,
    () =>
      `translate: maxLength (${maxLength}) is above the ${config.maxLength} positions of the model; ` +
      'lower or leave out --max-length, and split long texts (--split-sentences)',
  );
  return maxLength;
}

/** Says that a text is too long. */
export const describeLong = (number: number, tokens: number, limit: number): string =>
  `text ${number} has ${tokens} tokens, its end included; the maximum length is ${limit}; split it`;

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, n)));

/**
 * Plans for few texts have room for sources of a common length, so that sentences of any length up to it that come one
 * after another use the plans of the first.
 */
const [fewTexts, commonLength] = [4, 64];

/** A length rounded up to a multiple of 8, from 64 on of 32: few shapes, little padding. */
const paddedLength = (n: number): number => (n <= 64 ? Math.ceil(n / 8) * 8 : Math.ceil(n / 32) * 32);

async function attentionOf(
  { source, target, config: { startId } }: SavedModel,
  translator: Translator,
  text: readonly number[],
  { ids, ended }: Translation,
): Promise<Attention> {
  const all = await translator.align(text, ids, startId);
  const { layers, heads } = all;
  const [S, T] = [all.source.length, all.target.length];
  const kept = ended ? T : Math.min(T, ids.length);
  const weights = new Float32Array(layers * heads * kept * S);
  for (let n = 0; n < layers * heads; n++)
    weights.set(all.weights.subarray(n * T * S, (n * T + kept) * S), n * kept * S);
  return {
    source: all.source.map((id) => tokenLabel(source, id)),
    target: all.target.slice(0, kept).map((id) => tokenLabel(target, id)),
    layers,
    heads,
    weights,
  };
}

/** The plans of greedy decoding: one for a batch of sources, one that serves every step. */
function decodingPlan(c: ModelConfig, p: ParameterList, { batch = 1, source, target }: PlanShape = {}): string {
  const length = Math.min(32, c.maxLength);
  const shape = { batch, source: source ?? length, target: target ?? length };
  const graphs = { source: sourceGraph(c, p, shape), step: stepGraph(c, p, shape, plainGreedy) };
  return Object.entries(graphs)
    .map(([name, graph]) => `${name}\n\n${printPlan(makePlan(graph, { traits: defaultTraits }))}`)
    .join('\n');
}
