// Text to text: encodes texts, decodes them in batches of similar lengths, and returns the translations in
// order. All translations pass here: those of a model, of evaluations during training and of checks.

import { check } from '../core/errors.ts';
import { Memo } from '../core/memo.ts';
import type { Engine } from '../engine/engine.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { writeWeights } from '../model/model-states.ts';
import type { ParameterList } from '../model/parameter-layout.ts';
import { parameterList } from '../model/parameters.ts';
import type { SourceFacts, SourceKind } from '../model/source-kind.ts';
import type { Tokenizer } from '../text/tokenizers/tokenizer.ts';
import type { Aligner, Attention } from './alignment.ts';
import type { DecodeOptions, DecodeSettings, ModelRules } from './decode-options.ts';
import { decodeOptionsOf, decodeSettings, modeOf, withModelRules } from './decode-options.ts';
import { Decoder } from './decoder.ts';
import { searchFor } from './open-search.ts';
import type { DecodeRuledTexts, RuledDecoding } from './ruled-texts.ts';
import type { SourceTexts, TranslatorShape } from './source-texts.ts';
import { checkBatchSize, encodeTexts, isReusable, lengthLimit, shapeFor } from './source-texts.ts';
import type { Generation, StreamedToken, TextOptions, Translation } from './text-options.ts';
import { joinTokens, streamTokens } from './text-streamer.ts';
import type { ForcedPrefixes } from './token-rules.ts';

/** What few translations need, loaded then. */
const later = {
  alignment: () => import('./alignment.ts'),
  alignedTexts: () => import('./aligned-texts.ts'),
  constraints: () => import('./target-constraints.ts'),
  splitTexts: () => import('./split-texts.ts'),
};

/**
 * A model's configuration, tokenizers and decoding rules; `weights`, if given, are uploaded to the engine.
 */
export interface TextModel {
  readonly config: ModelConfig;
  /** What the model reads. [tokens] */
  readonly sourceKind?: SourceKind;
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  /** The parameter buffer, in the layout of `parameterList(config, sourceKind)`. */
  readonly weights?: Float32Array;
  /** Defaults of the decoding options; its suppressed tokens always apply. */
  readonly decode?: ModelRules;
  /** What its files say for the kind of its source. */
  readonly sourceFacts?: SourceFacts;
}

/** Options of a translator. */
export interface TranslatorOptions {
  /** The only shape of batches. Default: a shape for the texts of each call. */
  readonly shape?: Partial<TranslatorShape>;
  /**
   * The parameters on the engine with their weight format and LoRA adapter. Default: those of the model in
   * f32.
   */
  readonly parameters?: ParameterList;
  /**
   * Puts the weights on the engine; called in each call when its plans are made. `peak`: bytes of the largest
   * plan. Default: uploads `weights` of the model once.
   */
  upload?(peak: number): void | Promise<void>;
  /** Decodes texts with phrases or placeholders (`Features.ruledTexts`). [none] */
  readonly ruledTexts?: () => Promise<DecodeRuledTexts>;
}

/** Translates texts. One call at a time: decodings share the states of the engine. */
export class Translator {
  readonly #engine: Engine;
  readonly #model: TextModel;
  readonly #parameters: ParameterList;
  readonly #upload: NonNullable<TranslatorOptions['upload']>;
  readonly #loadRuledTexts: TranslatorOptions['ruledTexts'];
  readonly #fixedShape: TranslatorShape | undefined;
  readonly #shapes: TranslatorShape[] = [];
  readonly #decoders = new Memo<readonly unknown[], Decoder>();
  readonly #aligners = new Memo<number, Aligner>();

  constructor(
    engine: Engine,
    model: TextModel,
    { shape, parameters, upload, ruledTexts }: TranslatorOptions = {},
  ) {
    const { config: c } = model;
    this.#engine = engine;
    this.#model = model;
    this.#loadRuledTexts = ruledTexts;
    this.#parameters = parameters ?? parameterList(c, model.sourceKind);
    this.#fixedShape = shape && { batch: 32, maxSource: c.maxLength, maxTarget: c.maxLength, ...shape };
    this.#upload = upload ?? uploadOnce(engine, model, this.#parameters);
  }

  /** Number of batch shapes that have plans. */
  get shapeCount(): number {
    return this.#shapes.length;
  }

  /** The best translation of each text, in order; empty for an empty text. Throws as `generate`. */
  async translate(texts: readonly string[], options?: TextOptions, source?: Tokenizer): Promise<string[]> {
    return (await this.generate(texts, options, source)).map(([best]) => best?.text ?? '');
  }

  /**
   * `numReturn` translations of each text with ids and scores, best first; none of an empty text. `source`:
   * tokenizer of the texts (default: the model's). Throws a HeddleError if a text is too long or an option is
   * invalid, and the signal's reason if it is aborted.
   */
  async generate(
    texts: readonly string[],
    { splitSentences: splits = false, ...options }: TextOptions = {},
    source: Tokenizer = this.#model.source,
  ): Promise<Generation[][]> {
    const { onLongText } = options;
    if (!splits)
      return this.#generateWhole(texts, options, source, (long) => {
        for (const text of long) onLongText?.(text);
      });
    const { splitTexts } = await later.splitTexts();
    const { sentences, owners, onLong, join } = splitTexts(texts, options);
    const numberOf = (sentence: number) => (owners[sentence] as number) + 1;
    return join(await this.#generateWhole(sentences, options, source, onLong, numberOf));
  }

  /**
   * Yields the tokens of a translation while it is decoded (greedy decoding or one sample); none of an empty
   * text. Leaving the loop stops decoding. `index` is the random stream: a sample equals that of text `index`
   * of a list passed to `translate`. Throws as `generate`.
   */
  async *stream(
    text: string,
    options: TextOptions = {},
    index = 0,
    source: Tokenizer = this.#model.source,
  ): AsyncGenerator<StreamedToken, void, void> {
    const texts = await this.#encode([text], options, source);
    const [ids] = texts.encoded;
    if (!ids || texts.full.length === 0) return;
    const { decode, prefixes } = await this.#constrained(texts, options);
    yield* this.#streamIds(ids, decode, this.#shapeOf(texts, options), index, prefixes);
  }

  /**
   * Translates token ids with the end token, in order: `numReturn` translations of each, best first. `shape`:
   * of the batches (default: that of the translator). Throws as `generate`.
   */
  async decode(
    sources: readonly ArrayLike<number>[],
    options: DecodeOptions = {},
    shape: TranslatorShape = this.#onlyShape(),
    prefixes?: ForcedPrefixes,
  ): Promise<Translation[][]> {
    const { batch } = shape;
    const { firstText = 0 } = options;
    const settings = this.#settingsOf(options, shape, prefixes);
    const lengthOf = (i: number) => (sources[i] as ArrayLike<number>).length;
    const order = [...sources.keys()].sort((a, b) => lengthOf(a) - lengthOf(b));
    const out: Translation[][] = [];
    const decoder = await this.#decoderFor(settings, batch, shape);
    for (let at = 0; at < order.length; at += batch) {
      const places = order.slice(at, at + batch);
      const batchSources = places.map((i) => sources[i] as ArrayLike<number>);
      const search = await searchFor(settings, batchSources, this.#model.config.endId);
      const some = { sources: batchSources, streams: places.map((i) => firstText + i) };
      for await (const _ of decoder.run(some, settings, search));
      for (const [k, found] of search.finish().entries())
        out[places[k] as number] = found.map((h) => ({ ...h, text: this.#model.target.decode(h.ids) }));
      settings.onProgress?.(Math.min(order.length, at + batch), order.length);
    }
    return out;
  }

  /**
   * The cross-attention between the ids of a text, with the end token, and those of its translation. `startId`:
   * id that the decoder read first (default: the start token of the model). `size`: maximum number of tokens
   * (default: that of the translator). Throws a HeddleError if text or translation is too long.
   */
  async align(
    source: readonly number[],
    ids: readonly number[],
    startId?: number,
    size = sizeOf(this.#onlyShape()),
  ): Promise<Attention<number>> {
    const [engine, model, parameters] = [this.#engine, this.#model, this.#parameters];
    const aligner = await this.#aligners.get(size, async () => {
      const { Aligner } = await later.alignment();
      return Aligner.open(engine, model.config, parameters, size);
    });
    await this.#upload(aligner.peak);
    return aligner.align(source, ids, startId);
  }

  /** Translates texts as they are. `onLong` receives those that are skipped; `numberOf`: number in messages. */
  async #generateWhole(
    texts: readonly string[],
    options: TextOptions,
    source: Tokenizer,
    onLong: (long: SourceTexts['long']) => void,
    numberOf?: (index: number) => number,
  ): Promise<Generation[][]> {
    const { attention, alignment, replaceUnknown: replaces, onPiece, phrases, placeholders } = options;
    const hasTerms = phrases ?? placeholders;
    check(!onPiece || !hasTerms, 'onPiece is not for phrases or placeholders');
    const sources = await this.#encode(texts, options, source, numberOf);
    onLong(sources.long);
    const { full, encoded } = sources;
    const out: Generation[][] = texts.map(() => []);
    const { decode, prefixes } = await this.#constrained(sources, options);
    if (full.length === 0) return out;
    const shape = this.#shapeOf(sources, options);
    if (onPiece) {
      const { endId } = this.#model.config;
      const maxTokens = decode.maxNewTokens ?? shape.maxTarget;
      for (const [place, i] of full.entries()) {
        const tokens = this.#streamIds(encoded[i] as number[], decode, shape, place, prefixes);
        out[i] = [await joinTokens(tokens, { endId, maxTokens, onPiece: (piece) => onPiece(piece, i) })];
      }
    } else {
      const ids = full.map((i) => encoded[i] as number[]);
      const plain = (some: readonly number[][]) => this.decode(some, decode, shape, prefixes);
      const found = hasTerms
        ? await (await this.#ruledTexts())(
            this.#ruledDecoding(source, this.#settingsOf(decode, shape, prefixes), shape),
            { texts, full, ids, phrases, placeholders },
            plain,
          )
        : await plain(ids);
      for (const [k, i] of full.entries()) out[i] = found[k] ?? [];
    }
    if (!attention && !alignment && !replaces) return out;
    const { startId, signal } = this.#settingsOf(decode, shape);
    const { target, config } = this.#model;
    const { alignedSize, withAlignments } = await later.alignedTexts();
    const align = (i: number, ids: readonly number[]) => {
      signal?.throwIfAborted();
      const source = encoded[i] as number[];
      return this.align(source, ids, startId, alignedSize(this.#engine, source, ids, sizeOf(shape)));
    };
    return withAlignments(out, align, texts, { source, target, guided: config.alignmentHead }, options);
  }

  /** What decodes texts with rules of their own. Throws a HeddleError if no guest brings it. */
  async #ruledTexts(): Promise<DecodeRuledTexts> {
    check(
      this.#loadRuledTexts,
      'This program cannot decode with phrases or placeholders; load the model with the functions of heddle',
      'unsupported',
    );
    return this.#loadRuledTexts();
  }

  #ruledDecoding(source: Tokenizer, settings: DecodeSettings, shape: TranslatorShape): RuledDecoding {
    const [engine, parameters, upload] = [this.#engine, this.#parameters, this.#upload];
    const align = async (ids: readonly number[], translation: Translation): Promise<Generation> => {
      const all = await this.align(ids, translation.ids, settings.startId, sizeOf(shape));
      const { withLabels } = await later.alignedTexts();
      return withLabels(all, translation, source, this.#model.target);
    };
    const common = { engine, parameters, upload, align, shape, settings };
    return { ...this.#model, ...common, source, mode: modeOf(settings) };
  }

  /** The decoding options of a call with its excluded words, and the prefixes of its texts. */
  async #constrained(
    sources: SourceTexts,
    options: TextOptions,
  ): Promise<{ readonly decode: DecodeOptions; readonly prefixes?: ForcedPrefixes }> {
    const decode = decodeOptionsOf(options);
    if (!options.badWords && !options.prefix) return { decode };
    const { constrained } = await later.constraints();
    return constrained(decode, sources, options, this.#model);
  }

  async *#streamIds(
    source: readonly number[],
    options: DecodeOptions,
    shape: TranslatorShape,
    index: number,
    prefixes?: ForcedPrefixes,
  ): AsyncGenerator<StreamedToken, void, void> {
    const settings = this.#settingsOf(options, shape, prefixes);
    const search = await searchFor(settings, [source], this.#model.config.endId);
    const open = () => this.#decoderFor(settings, 1, shape);
    const batch = { sources: [source], streams: [index + (options.firstText ?? 0)] };
    yield* streamTokens(this.#model, batch, settings, search, open);
  }

  async #encode(
    texts: readonly string[],
    options: TextOptions,
    source: Tokenizer,
    numberOf?: (index: number) => number,
  ): Promise<SourceTexts> {
    checkBatchSize(options);
    const limit = lengthLimit(options, this.#model.config, this.#fixedShape?.maxSource);
    return encodeTexts(texts, source, limit, options, numberOf);
  }

  /** The shape for texts: one that has plans, if it fits, or a new one. */
  #shapeOf(texts: SourceTexts, options: TextOptions): TranslatorShape {
    if (this.#fixedShape) return this.#fixedShape;
    const { fitting, ...shape } = shapeFor(texts, options, this.#model.config);
    const exact = this.#engine.runsAtOnce;
    return this.#shapes.find((existing) => isReusable(existing, shape, fitting, exact)) ?? shape;
  }

  #onlyShape(): TranslatorShape {
    if (!this.#fixedShape) throw new Error('translator: give the shape of the batches');
    return this.#fixedShape;
  }

  #settingsOf(
    options: DecodeOptions,
    { maxTarget }: TranslatorShape,
    prefixes?: ForcedPrefixes,
  ): DecodeSettings {
    const { decode: rules = {}, config } = this.#model;
    return { ...decodeSettings(withModelRules(rules, options, maxTarget), config, maxTarget), prefixes };
  }

  /** The decoder for batches of `sentences` in the positions of a shape; uploads the weights. */
  async #decoderFor(settings: DecodeSettings, sentences: number, shape: TranslatorShape): Promise<Decoder> {
    const mode = modeOf(settings);
    const { rows, cacheType } = settings;
    const { maxSource, maxTarget } = shape;
    const [engine, parameters, model] = [this.#engine, this.#parameters, this.#model];
    const decoder = await this.#decoders.get([mode, rows, sentences, maxSource, maxTarget, cacheType], () => {
      const sizes = { batch: sentences, beams: rows, source: maxSource, target: maxTarget, cacheType };
      return Decoder.open(engine, model.config, parameters, sizes, mode);
    });
    if (!this.#shapes.includes(shape)) this.#shapes.push(shape);
    await this.#upload(decoder.peak);
    return decoder;
  }
}

/** Maximum number of tokens of either side. */
const sizeOf = ({ maxSource, maxTarget }: TranslatorShape): number => Math.max(maxSource, maxTarget);

/** Uploads the weights of a model at the first call. */
function uploadOnce(engine: Engine, { config, weights }: TextModel, p: ParameterList): () => void {
  let isDone = weights === undefined;
  return () => {
    if (weights && !isDone) writeWeights(engine, config, p, weights);
    isDone = true;
  };
}
