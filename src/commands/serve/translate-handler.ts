// The endpoints of LibreTranslate's API: /translate, /detect, /languages; and /translate/stream, which sends a
// translation while it is decoded.

import type { DecodeOptions } from '../../decode/decode-options.ts';
import { isSameLanguage } from '../../text/corpus/language-choice.ts';
import { detectLanguage } from '../../text/language-detection.ts';
import { languageOf } from '../../text/language-guesses.ts';
import { Refusal } from './access.ts';
import type { RequestFields } from './request-body.ts';
import type { ServedModel } from './served-models.ts';
import { plainTexts, type ServedSentences, type ServedTexts } from './served-texts.ts';
import type { QueuedOptions } from './translation-queue.ts';

/** Limits of a request. */
export interface RequestLimits {
  /** Characters of all texts; 0: no limit. */
  readonly characters: number;
  /** Number of texts. */
  readonly texts: number;
  readonly alternatives: number;
}

/** A checked request. */
interface TranslationRequest {
  readonly texts: readonly string[];
  readonly isList: boolean;
  readonly isHtml: boolean;
  readonly alternatives: number;
  readonly served: ServedModel;
  readonly options: QueuedOptions;
}

/** The language of a text in an answer; `und` if it has no words. */
interface LanguageAnswer {
  readonly language: string;
  /** Percent; at most 50 if the guess is not sure. */
  readonly confidence: number;
}

/** Answers requests with the models of a server. */
export class TranslateHandler {
  readonly #models: readonly ServedModel[];
  readonly limits: RequestLimits;
  readonly #decode: DecodeOptions;
  readonly #served: ServedTexts;

  constructor(
    models: readonly ServedModel[],
    limits: RequestLimits,
    { decode, texts = plainTexts }: { readonly decode: DecodeOptions; readonly texts?: ServedTexts },
  ) {
    this.#models = models;
    this.limits = limits;
    this.#decode = decode;
    this.#served = texts;
  }

  /** /languages. */
  languages(): { code: string; name: string; targets: string[] }[] {
    const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'code' });
    const nameOf = (code: string): string => {
      try {
        return names.of(code.replaceAll('_', '-')) ?? code;
      } catch {
        return code;
      }
    };
    const sources = [...new Set(this.#models.flatMap(({ sources }) => sources))];
    const all = [...new Set([...sources, ...this.#models.flatMap((model) => model.targets())])];
    return all.map((code) => ({
      code,
      name: nameOf(code),
      targets: [
        ...new Set(
          this.#models.filter((model) => model.sources.includes(code)).flatMap((model) => model.targets()),
        ),
      ],
    }));
  }

  /** /frontend/settings, by which LibreTranslate's clients learn of limits and keys. */
  settings(keyRequired: boolean): object {
    const languages = this.languages();
    const [source] = languages.filter(({ targets }) => targets.length > 0);
    const target = languages.find(({ code }) => code === source?.targets[0]);
    const named = ({ code = '', name = '' }: { code?: string; name?: string } = {}) => ({ code, name });
    return {
      apiKeys: keyRequired,
      keyRequired,
      charLimit: this.limits.characters > 0 ? this.limits.characters : -1,
      frontendTimeout: 500,
      suggestions: false,
      filesTranslation: false,
      supportedFilesFormat: [],
      language: { source: named(source), target: named(target) },
    };
  }

  /** /detect. */
  detect(fields: RequestFields): readonly LanguageAnswer[] {
    const [text = ''] = textsIn(fields, this.limits).texts;
    return guessesOf(text);
  }

  /** /translate: the answer, and the number of characters. */
  async translate(
    fields: RequestFields,
    signal: AbortSignal,
  ): Promise<{ answer: object; characters: number }> {
    const { request, texts, isList, detected } = this.#request(fields, signal);
    // A text that is in the target language already is its own translation.
    const made = request ? await Promise.all(texts.map((text) => this.#translated(text, request))) : texts;
    const others =
      request && request.alternatives > 0
        ? await Promise.all(texts.map((text) => this.#alternatives(text, request)))
        : undefined;
    const one = <T>(list: readonly T[]) => (isList ? list : list[0]);
    return {
      answer: {
        translatedText: one(made),
        alternatives: others && one(others),
        detectedLanguage: detected && one(texts.map(() => detected)),
      },
      characters: texts.reduce((n, text) => n + text.length, 0),
    };
  }

  /** /translate/stream: the parts of a translation; `send` is called with the text that each token adds. */
  async stream(fields: RequestFields, signal: AbortSignal, send: (text: string) => void): Promise<string> {
    const { request, texts } = this.#request(fields, signal);
    const [text = ''] = texts;
    if (!request) {
      send(text);
      return text;
    }
    const { served, options } = request;
    const { lora, ...decode } = options;
    const { sentences, join } = this.#served.split(text);
    const made: string[] = [];
    // A join of marks shows the text between two sentences.
    const spaces = join(sentences.map(() => '\0')).split('\0');
    send(spaces[0] ?? '');
    for (const [i, sentence] of sentences.entries()) {
      let translation = '';
      await served.queue.inTurn(async () => {
        signal.throwIfAborted();
        served.model.useLora(lora ?? null);
        for await (const piece of served.model.stream(sentence, {
          ...decode,
          beams: undefined,
          method: undefined,
          signal,
        })) {
          translation += piece;
          send(piece);
        }
      });
      made.push(translation);
      send(spaces[i + 1] ?? '');
    }
    return join(made);
  }

  /** The language of texts whose source is `auto`. */
  #detected(texts: readonly string[]): LanguageAnswer {
    const guesses = guessesOf(texts.join('\n'));
    const [best = { language: 'und', confidence: 0 }] = guesses;
    if (best.confidence > unsure) return best;
    // Not sure, as of a word: the most probable language of the server.
    const sources = new Set(this.#models.flatMap((model) => model.sources).map(languageOf));
    const [first = best.language] = sources;
    return guesses.find(({ language }) => sources.has(language)) ?? { language: first, confidence: 0 };
  }

  /** A checked request; without `request` the texts are in the target language already. */
  #request(
    fields: RequestFields,
    signal: AbortSignal,
  ): Pick<TranslationRequest, 'texts' | 'isList'> & {
    readonly request?: TranslationRequest;
    readonly detected?: LanguageAnswer;
  } {
    const { texts, isList } = textsIn(fields, this.limits);
    const {
      format = 'text',
      target,
      source: given = 'auto',
      alternatives = 0,
      lora_adapter: adapter,
    } = fields;
    if (format !== 'text' && format !== 'html') throw new Refusal(400, 'format must be text or html');
    if (format === 'html' && !this.#served.html)
      throw new Refusal(400, 'this server does not translate html; format must be text');
    if (typeof target !== 'string' || target === '')
      throw new Refusal(400, 'the parameter target is missing');
    if (typeof given !== 'string' || given === '') throw new Refusal(400, 'the parameter source is missing');
    const count = Number(alternatives);
    if (!Number.isInteger(count) || count < 0 || count > this.limits.alternatives)
      throw new Refusal(400, `alternatives must be a whole number from 0 to ${this.limits.alternatives}`);
    const names = [...new Set(this.#models.flatMap(({ loras }) => [...loras]))];
    if (adapter !== undefined && !(typeof adapter === 'string' && names.includes(adapter)))
      throw new Refusal(400, `lora_adapter is unknown; there are ${names.join(', ') || 'none'}`);
    const lora = typeof adapter === 'string' ? adapter : undefined;
    const detected = given === 'auto' ? this.#detected(texts) : undefined;
    const source = detected?.language ?? given;
    if (isSameLanguage(source, target)) return { texts, isList, detected };
    for (const served of this.#models) {
      const codes = served.codesFor(source, target);
      if (!codes || (lora !== undefined && !served.loras.has(lora))) continue;
      const options = { ...this.#decode, ...codes, lora, signal };
      const isHtml = format === 'html';
      return {
        texts,
        isList,
        detected,
        request: { texts, isList, isHtml, alternatives: count, served, options },
      };
    }
    const pair = `${source} to ${target}`;
    throw new Refusal(
      400,
      `${pair} is not supported${lora === undefined ? '' : ` with lora_adapter ${lora}`}`,
    );
  }

  /** The model of a request as what translates sentences. */
  #modelOf({ served, options }: TranslationRequest): ServedSentences {
    const { queue, model } = served;
    return {
      tokenizers: model.tokenizers,
      generate: (texts, { attention } = {}) =>
        queue.generate(texts, { ...options, attention, longTexts: 'crop' }),
    };
  }

  #translated(text: string, request: TranslationRequest): Promise<string> {
    const model = this.#modelOf(request);
    const { html } = this.#served;
    return request.isHtml && html ? html(model, text) : this.#served.text(model, text);
  }

  async #alternatives(
    text: string,
    { served, options, alternatives, isHtml }: TranslationRequest,
  ): Promise<string[]> {
    const { sentences, join } = this.#served.split(text);
    if (isHtml || sentences.length !== 1) return [];
    const rows = Math.max(options.beams ?? 1, alternatives + 1);
    const [found = []] = await served.queue.generate(sentences, {
      ...options,
      beams: rows,
      method: 'beam',
      numReturn: alternatives + 1,
      longTexts: 'crop',
    });
    return found.slice(1).map((translation) => join([translation.text]));
  }
}

/** Percent up to which a guess is not sure. */
const unsure = 50;

/** The languages of a text, best first, also those that no model has. */
function guessesOf(text: string): LanguageAnswer[] {
  const { guesses, isSure } = detectLanguage(text);
  if (guesses.length === 0) return [{ language: 'und', confidence: 0 }];
  return guesses.slice(0, 5).map(({ language, score }) => ({
    language,
    confidence: Math.round(score * (isSure ? 100 : unsure)),
  }));
}

/** The texts of a request. Throws a Refusal if there are none, or too many. */
function textsIn({ q }: RequestFields, limits: RequestLimits): { texts: readonly string[]; isList: boolean } {
  if (q === undefined) throw new Refusal(400, 'the parameter q is missing; it is a text or a list of texts');
  const texts = [q].flat();
  if (!texts.every((text) => typeof text === 'string'))
    throw new Refusal(400, 'the parameter q is not a text or a list of texts');
  if (texts.length > limits.texts) throw new Refusal(400, `more than ${limits.texts} texts in a request`);
  const characters = texts.reduce((n, text) => n + text.length, 0);
  if (limits.characters > 0 && characters > limits.characters)
    throw new Refusal(400, `the request has ${characters} characters, the limit is ${limits.characters}`);
  return { texts: texts.map((text) => wellFormed(text)), isList: Array.isArray(q) };
}

/** A text without halves of surrogate pairs, which UTF-8 does not have. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');
