// A translator in the shape of the browser's built-in Translator API
// (https://webmachinelearning.github.io/translation-api/), so that a page can use either.

import { check, checkSignal, HeddleError } from '../core/errors.ts';
import { checkNames } from '../core/fields.ts';
import { listed, msg } from '../core/message.ts';
import { archiveFiles } from '../files/archive-files.ts';
import type { FolderSource } from '../files/given-files.ts';
import { isModelFolder } from '../formats/model-folder.ts';
import { type Features, noFeatures } from '../session/feature-table.ts';
import { currentHost } from '../session/host.ts';
import { languageTag } from '../text/language-tag.ts';
import { splitSentences } from '../text/sentences.ts';
import { loadModel } from './load-model.ts';
import type { LoadOptions } from './load-options.ts';
import { Model } from './model.ts';

/** The languages of a translator, as BCP 47 tags. */
export interface TranslatorLanguages {
  /** Language of the texts, such as `en`. */
  readonly sourceLanguage: string;
  /** Language of the translations. */
  readonly targetLanguage: string;
}

/** Options of `createTranslator`; those of the built-in API, and the model. */
export interface CreateTranslatorOptions extends TranslatorLanguages {
  /** The model, or where it is; see `loadModel`. */
  readonly model: Model | FolderSource;
  /** Options of `loadModel`. */
  readonly load?: Omit<LoadOptions, 'signal' | 'onEvent'>;
  /** Stops the call, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Receives an EventTarget whose events `downloadprogress` have `loaded`, from 0 to 1. */
  readonly monitor?: (monitor: EventTarget) => void;
}

/** Options of a call. */
export interface TranslatorCallOptions {
  /** Stops the call, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Whether a translator can be created: at once, after a download, or not. */
export type TranslatorAvailability = 'unavailable' | 'downloadable' | 'downloading' | 'available';

/** A translator with the members of the built-in `Translator`. */
export interface HeddleTranslator extends TranslatorLanguages {
  /** Infinity: a text is translated sentence by sentence. */
  readonly inputQuota: number;
  /** Number of tokens of a text. */
  measureInputUsage(input: string, options?: TranslatorCallOptions): Promise<number>;
  /** The translation of a text. */
  translate(input: string, options?: TranslatorCallOptions): Promise<string>;
  /** The translation in pieces. */
  translateStreaming(input: string, options?: TranslatorCallOptions): ReadableStream<string>;
  /** Frees the model if `createTranslator` loaded it; later calls reject. */
  destroy(): void;
  /** `destroy` at the end of a block. */
  [Symbol.dispose](): void;
  /** `destroy`, for `await using`; waits until the memory is free. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Progress of a download, as the built-in API reports it. */
class DownloadProgressEvent extends Event {
  readonly lengthComputable = true;
  readonly total = 1;
  readonly loaded: number;

  constructor(loaded: number) {
    super('downloadprogress');
    this.loaded = loaded;
  }
}

/** The names of all options of createTranslator. */
const optionNames: Readonly<Record<keyof CreateTranslatorOptions, true>> = {
  sourceLanguage: true,
  targetLanguage: true,
  model: true,
  load: true,
  signal: true,
  monitor: true,
};

const invalidState = () => new DOMException('The translator is destroyed.', 'InvalidStateError');

/** A translator on a model. */
class ModelTranslator implements HeddleTranslator {
  readonly sourceLanguage: string;
  readonly targetLanguage: string;
  readonly inputQuota = Number.POSITIVE_INFINITY;
  readonly #model: Model;
  readonly #ownsModel: boolean;
  readonly #codes: { readonly sourceLang?: string; readonly targetLang?: string };
  readonly #destroyed = new AbortController();

  constructor(model: Model, { sourceLanguage, targetLanguage, model: given }: CreateTranslatorOptions) {
    this.#model = model;
    this.#ownsModel = !(given instanceof Model);
    this.#codes = codesFor(model, { sourceLanguage, targetLanguage });
    this.sourceLanguage = sourceLanguage;
    this.targetLanguage = targetLanguage;
  }

  async measureInputUsage(input: string, options: TranslatorCallOptions = {}): Promise<number> {
    this.#signal(options);
    return this.#model.tokenizers.source.encode(String(input)).length;
  }

  async translate(input: string, given: TranslatorCallOptions = {}): Promise<string> {
    const signal = this.#signal(given);
    const { sentences, join } = await this.#sentences(String(input));
    const options = { ...this.#codes, signal };
    return join(sentences.length === 0 ? [] : await this.#model.translate(sentences, options));
  }

  translateStreaming(input: string, options: TranslatorCallOptions = {}): ReadableStream<string> {
    const pieces = this.#pieces(String(input), options);
    return new ReadableStream<string>({
      async pull(controller) {
        try {
          const { done, value } = await pieces.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          controller.error(error);
        }
      },
      async cancel() {
        await pieces.return();
      },
    });
  }

  destroy(): void {
    if (this.#destroyed.signal.aborted) return;
    this.#destroyed.abort(invalidState());
    if (this.#ownsModel) this.#model.dispose();
  }

  [Symbol.dispose](): void {
    this.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    if (this.#ownsModel) await this.#model[Symbol.asyncDispose]();
  }

  async *#pieces(input: string, given: TranslatorCallOptions): AsyncGenerator<string, void, void> {
    const signal = this.#signal(given);
    const { sentences, join } = await this.#sentences(input);
    // A join of marks shows the text around the sentences.
    const spaces = join(sentences.map(() => '\0')).split('\0');
    if (spaces[0]) yield spaces[0];
    const options = { ...this.#codes, signal };
    for (const [i, sentence] of sentences.entries()) {
      yield* this.#model.stream(sentence, options);
      const space = spaces[i + 1];
      if (space) yield space;
    }
  }

  /** The signal of a call. Throws if the call has other options, or is aborted already. */
  #signal(options: TranslatorCallOptions): AbortSignal {
    checkNames({ area: 'translate' }, ['signal'], Object.keys(options));
    const { signal } = options;
    checkSignal(signal);
    const destroyed = this.#destroyed.signal;
    const either = signal ? AbortSignal.any([signal, destroyed]) : destroyed;
    either.throwIfAborted();
    return either;
  }

  /** The sentences of a text, each short enough for the model, with the white space around them. */
  async #sentences(input: string) {
    const lead = /^\s*/.exec(input)?.[0] ?? '';
    const trail = input.trim() === '' ? '' : (/\s*$/.exec(input)?.[0] ?? '');
    const { sentences, join } = splitSentences(input);
    const parts = sentences.map((sentence) => this.#fitting(sentence));
    return {
      sentences: parts.flat(),
      join(translations: readonly string[]): string {
        let at = 0;
        const joined = parts.map(({ length }) => {
          at += length;
          return translations.slice(at - length, at).join(' ');
        });
        return lead + join(joined) + trail;
      },
    };
  }

  /** Parts of a sentence that the model can read, divided at spaces. */
  #fitting(sentence: string): string[] {
    const limit = this.#model.config.maxLength - 4;
    const fits = (text: string) => this.#model.tokenizers.source.encode(text).length <= limit;
    if (fits(sentence)) return [sentence];
    const words = sentence.split(/\s+/);
    if (words.length < 2) {
      const half = Math.ceil(sentence.length / 2);
      return half < sentence.length
        ? [sentence.slice(0, half), sentence.slice(half)].flatMap((s) => this.#fitting(s))
        : [sentence];
    }
    const half = Math.ceil(words.length / 2);
    return [words.slice(0, half), words.slice(half)].flatMap((part) => this.#fitting(part.join(' ')));
  }
}

/** The model's codes for the languages. Throws a HeddleError if it does not have them. */
function codesFor({ languages }: Model, { sourceLanguage, targetLanguage }: TranslatorLanguages) {
  if (!languages) return {};
  const find = (tag: string): string => {
    const base = tag.toLowerCase().split('-')[0];
    const code =
      languages.codes.find((c) => c.toLowerCase() === tag.toLowerCase()) ??
      languages.codes.find((c) => c.toLowerCase().split(/[-_]/)[0] === base);
    if (code === undefined)
      throw new HeddleError(msg`the model has no language ${tag}, only ${listed(languages.codes)}`, {
        area: 'createTranslator',
        kind: 'unsupported',
      });
    return code;
  };
  return { sourceLang: find(sourceLanguage), targetLang: find(targetLanguage) };
}

/** `createTranslator` of the library, with the guests that the caller has. */
export async function createTranslator(
  options: CreateTranslatorOptions,
  features: Features = noFeatures,
): Promise<HeddleTranslator> {
  checkNames({ area: 'createTranslator' }, Object.keys(optionNames), Object.keys(options));
  for (const side of ['sourceLanguage', 'targetLanguage'] as const) {
    const tag = options[side];
    check(
      typeof tag === 'string' && languageTag(tag) !== undefined,
      () => msg`${side} is ${tag}, it must be a language tag such as en or pt-BR`,
      { area: 'createTranslator' },
    );
  }
  const { model: given, load, signal, monitor } = options;
  checkSignal(signal);
  signal?.throwIfAborted();
  const target = new EventTarget();
  monitor?.(target);
  const progress = (loaded: number) => target.dispatchEvent(new DownloadProgressEvent(loaded));
  progress(0);
  const model = given instanceof Model ? given : await loadModel(given, { ...load, signal }, features);
  progress(1);
  return new ModelTranslator(model, options);
}

/** `translators` of the library, with the guests that the caller has. */
export function translators(
  models: Readonly<Record<string, Model | FolderSource>>,
  load?: CreateTranslatorOptions['load'],
  features: Features = noFeatures,
) {
  const modelFor = ({ sourceLanguage, targetLanguage }: TranslatorLanguages) => {
    const base = (tag: string) => tag.split('-')[0];
    return (
      models[`${sourceLanguage}-${targetLanguage}`] ??
      models[`${base(sourceLanguage)}-${base(targetLanguage)}`]
    );
  };
  return {
    /** Creates a translator. Rejects with a NotSupportedError if there is no model for the languages. */
    async create(options: Omit<CreateTranslatorOptions, 'model'>): Promise<HeddleTranslator> {
      const model = modelFor(options);
      if (model === undefined)
        throw new DOMException(
          `There is no model for ${options.sourceLanguage} to ${options.targetLanguage}.`,
          'NotSupportedError',
        );
      return createTranslator({ load, ...options, model }, features);
    },
    /** Whether there is a model for the languages on this machine, or one to download. */
    async availability(languages: TranslatorLanguages): Promise<TranslatorAvailability> {
      const model = modelFor(languages);
      if (model === undefined) return 'unavailable';
      if (typeof model !== 'string') return 'available';
      const host = currentHost();
      return (await isModelFolder(archiveFiles(host.files), host.modelPath(model), features.formats))
        ? 'available'
        : 'downloadable';
    },
  };
}
