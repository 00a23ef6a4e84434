// SentencePiece models as tokenizers. Ids are the model's own or, as in MarianMT, those of a vocab.json that
// both languages share. tokenizer.json embeds the model file in base64.

import { check, HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { isCount, isObject } from '../../files/json-files.ts';
import { maxTokens } from '../tokenizers/bpe-merges.ts';
import { SPACE_MARK } from '../tokenizers/normalization.ts';
import {
  checkId,
  type SpecialIds,
  type Tokenizer,
  type TokenizerJson,
  tokenizerJson,
} from '../tokenizers/tokenizer.ts';
import { type EncodedPiece, openSentencePiece, type SentencePieceProcessor } from './processor.ts';

/** Tokens of a tokenizer with a special role in texts. */
export interface TokenRules {
  /** Tokens that may be written in a text, such as `<extra_id_0>`. Default: none. */
  readonly symbols: readonly string[];
  /** Tokens that are neither encoded nor decoded, such as languages. Default: none. */
  readonly hidden: readonly string[];
  /**
   * Whether text after one of `symbols` gets a space mark at its start, like a whole text: `legacy` of T5's
   * tokenizer in transformers. Default true.
   */
  readonly legacy: boolean;
  /** The `symbols` after which spaces are kept if `legacy` is false. Default: none. */
  readonly spaced: readonly string[];
}

/** Options of `SentencePieceTokenizer`. */
export interface SentencePieceTokenizerOptions extends Partial<TokenRules> {
  /** A SentencePiece model file. */
  readonly file: Uint8Array;
  /** Name of the file for errors. */
  readonly name: string;
  /** Ids of pieces: a parsed vocab.json with `<unk>`. Default: the ids of the SentencePiece model. */
  readonly vocab?: unknown;
  /** Special ids of the translation model. Default: `</s>` for end, `<pad>` for padding and start. */
  readonly special?: Partial<SpecialIds>;
  /** Vocabulary size of the translation model, if larger than the vocabulary; the extra tokens are unused. */
  readonly size?: number;
}

/** `model.type` in tokenizer.json, a type of heddle's own. */
export const sentencePieceModelType = 'SentencePiece';

/** Target language of a multilingual model, before the text: `>>fra<< Good morning.` */
const languageCode = /^>>[^<>\s]+<</;

/**
 * A SentencePiece model as a tokenizer. Text may start with a language code, `>>fra<<`, if the vocabulary has
 * it. The constructor throws a HeddleError that starts with `name` if the model or the vocabulary is invalid
 * or lacks a special token.
 */
export class SentencePieceTokenizer implements Tokenizer {
  readonly kind = 'sentencepiece';
  readonly size: number;
  readonly special: SpecialIds;
  readonly #file: Uint8Array;
  readonly #model: SentencePieceProcessor;
  readonly #rules: TokenRules;
  /** Whether the ids are those of a vocab.json, and the ids of its tokens. */
  readonly #hasVocab: boolean;
  readonly #ids: ReadonlyMap<string, number>;
  /** Tokens by id. */
  readonly #tokens: readonly (string | undefined)[];
  /** Special tokens: text never encodes to them, and they are skipped in decoded text. */
  readonly #silent: ReadonlySet<number>;
  /** Ids of the tokens that may be written in a text, and the pattern that finds them, if there are any. */
  readonly #spelled: ReadonlyMap<string, number>;
  readonly #spelledIds: ReadonlySet<number>;
  readonly #splitter: RegExp | undefined;
  /** Ids of the pieces of the model in a vocab.json. */
  readonly #known: Int32Array | undefined;

  constructor(options: SentencePieceTokenizerOptions) {
    const { file, name, vocab, special, size = 0 } = options;
    const { symbols = [], hidden = [], legacy = true, spaced = [] } = options;
    this.#rules = { symbols, hidden, legacy, spaced };
    this.#file = file;
    this.#model = openSentencePiece(file, name);
    this.#hasVocab = vocab !== undefined;
    const { pieces } = this.#model.model;
    this.#ids = this.#hasVocab ? readVocab(vocab) : new Map(pieces.map(({ text }, id) => [text, id]));
    const tokens: (string | undefined)[] = this.#hasVocab ? [] : pieces.map(({ text }) => text);
    if (this.#hasVocab) for (const [text, id] of this.#ids) tokens[id] = text;
    this.#tokens = tokens;
    this.size = Math.max(size, tokens.length);
    check(this.size <= maxTokens, msg`a vocabulary of ${this.size} tokens, at most ${maxTokens} are read`, {
      area: name,
    });
    this.special = this.#findSpecial(name, special);
    const { pad, start, end } = this.special;
    const idsOf = (texts: readonly string[]) => texts.flatMap((text) => this.#ids.get(text) ?? []);
    this.#silent = new Set([pad, start, end, ...idsOf(hidden)]);
    const found = symbols.filter((text) => this.#ids.has(text));
    this.#spelled = new Map(found.map((text) => [text, this.#ids.get(text) as number]));
    this.#spelledIds = new Set(this.#spelled.values());
    this.#splitter = found.length > 0 ? new RegExp(`(${found.map(escapePattern).join('|')})`) : undefined;
    this.#known = this.#hasVocab ? Int32Array.from(pieces, ({ text }) => this.#idOf(text)) : undefined;
  }

  encode(text: string): number[] {
    const code = languageCode.exec(text)?.[0];
    const codeId = code === undefined ? undefined : this.#ids.get(code);
    const rest = codeId === undefined ? text : text.slice(code?.length);
    const plain = this.#rules.legacy ? rest : rest.replaceAll(SPACE_MARK, ' ');
    const parts = this.#splitter ? plain.split(this.#splitter) : [plain];
    const ids = parts.flatMap(
      (part, i) =>
        this.#spelled.get(part) ?? this.#piecesOf(part, parts[i - 1]).map((piece) => this.#idOfPiece(piece)),
    );
    return codeId === undefined ? ids : [codeId, ...ids];
  }
  decode(ids: Iterable<number>): string {
    let out = '';
    let pieces: string[] = [];
    const flush = () => {
      out += this.#model.decode(pieces);
      pieces = [];
    };
    for (const id of ids) {
      const text = this.token(id);
      if (this.#silent.has(id) || this.#tokens[id] === undefined) continue;
      const isPiece = !this.#spelledIds.has(id) && !(this.#hasVocab && id === this.special.unknown);
      if (isPiece) {
        pieces.push(text);
        continue;
      }
      flush();
      out += out === '' || out.endsWith(' ') ? `${text} ` : ` ${text} `;
    }
    flush();
    // Pieces that only the other language has keep their space marks.
    return this.#hasVocab ? out.replaceAll(SPACE_MARK, ' ').trim() : out;
  }
  normalize(text: string): string {
    const marked = this.#model.normalize(text);
    if (this.#hasVocab) return marked.replaceAll(SPACE_MARK, ' ').trim();
    const { addDummyPrefix, removeExtraWhitespaces } = this.#model.model.normalizer;
    const atStart = marked.startsWith(SPACE_MARK) && (addDummyPrefix || removeExtraWhitespaces);
    return marked.slice(atStart ? 1 : 0).replaceAll(SPACE_MARK, ' ');
  }
  token(id: number): string {
    checkId(id, this.size);
    return this.#tokens[id] ?? `[unused${id}]`;
  }
  toJSON(): TokenizerJson {
    const { symbols, hidden, legacy, spaced } = this.#rules;
    return tokenizerJson({
      model: {
        type: sentencePieceModelType,
        file: toBase64(this.#file),
        vocab: this.#hasVocab ? Object.fromEntries(this.#ids) : null,
        special: this.special,
        size: this.size,
        symbols: symbols.length > 0 ? symbols : undefined,
        hidden: hidden.length > 0 ? hidden : undefined,
        legacy: legacy ? undefined : false,
        spaced: legacy ? undefined : spaced,
      },
    });
  }

  /** The special ids: those given, those of the model, or those of the usual tokens. */
  #findSpecial(name: string, given: Partial<SpecialIds> | undefined): SpecialIds {
    const { special: at } = this.#model.model;
    const find = (role: string, wanted: number | undefined, text: string): number => {
      const id = wanted ?? this.#ids.get(text);
      const { size } = this.#ids;
      check(id !== undefined, msg`the vocabulary of ${size} tokens has no '${text}', the ${role} token`, {
        area: name,
      });
      check(id < this.size, msg`the ${role} token has the id ${id}, the vocabulary has ${this.size} tokens`, {
        area: name,
      });
      return id;
    };
    const ofModel = (id: number): number | undefined => (this.#hasVocab || id < 0 ? undefined : id);
    const pad = find('padding', given?.pad ?? ofModel(at.pad), '<pad>');
    return {
      pad,
      start: find('start', given?.start ?? pad, '<pad>'),
      end: find('end', given?.end ?? ofModel(at.end), '</s>'),
      unknown: find('unknown', given?.unknown ?? ofModel(at.unknown), '<unk>'),
    };
  }
  /** The id of a piece that a text may encode to. */
  #idOf(text: string): number {
    const id = this.#ids.get(text);
    return id === undefined || this.#silent.has(id) ? this.special.unknown : id;
  }
  #idOfPiece({ id, text }: EncodedPiece): number {
    if (!this.#known) return id;
    // A piece that the model does not have may be in the vocabulary of both languages.
    return id === this.#model.model.special.unknown ? this.#idOf(text) : (this.#known[id] as number);
  }
  /** The pieces of a part of a text; `symbol`: the symbol before it, if there is one. */
  #piecesOf(part: string, symbol: string | undefined): EncodedPiece[] {
    const model = this.#model;
    const { legacy, spaced } = this.#rules;
    if (legacy) return model.encode(part);
    // transformers puts the unknown token and a space mark before the text, and none before other parts. The
    // pieces of the unknown token are removed; it keeps the space mark from being a space at the start, which
    // normalization removes.
    if (symbol !== undefined) return model.encode(part, spaced.includes(symbol) && part.startsWith(' '));
    const before = model.model.pieces[model.model.special.unknown]?.text ?? '';
    if (part.trim() === '') return [];
    return model.encode(`${before}${SPACE_MARK}${part}`, false).slice(model.encode(before, false).length);
  }
}

/** Loads the tokenizer from the `model` of its `toJSON`. Throws a HeddleError if it is invalid. */
export function loadSentencePieceTokenizer(model: Readonly<Record<string, unknown>>): Tokenizer {
  const name = 'tokenizer.json';
  const { file, vocab, special, size, symbols = [], hidden = [], legacy = true, spaced = [] } = model;
  const isId = (x: unknown): x is number => isCount(x) && x <= maxTokens;
  const given = (typeof special === 'object' && special !== null ? special : {}) as Record<string, unknown>;
  const { pad, start, end, unknown } = given;
  check(typeof file === 'string', msg`the ${sentencePieceModelType} model has no file`, { area: name });
  const isIdOrNone = (x: unknown): x is number => x === -1 || isId(x);
  if (!isId(size) || !isIdOrNone(pad) || !isIdOrNone(start) || !isId(end) || !isId(unknown))
    throw new HeddleError(msg`size and special must be ids, they are ${JSON.stringify({ size, special })}`, {
      area: name,
    });
  if (
    ![symbols, hidden, spaced].every(
      (list) => Array.isArray(list) && list.every((text) => typeof text === 'string'),
    )
  )
    throw new HeddleError('symbols, hidden and spaced must be lists of tokens', { area: name });
  const ids = { pad, start, end, unknown };
  return new SentencePieceTokenizer({
    file: fromBase64(file, name),
    name,
    special: ids,
    size,
    symbols: symbols as string[],
    hidden: hidden as string[],
    legacy: legacy !== false,
    spaced: spaced as string[],
    vocab: vocab ?? undefined,
  });
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * The ids of a parsed vocab.json. Throws a HeddleError for an invalid id, and if two tokens have the same id.
 */
function readVocab(vocab: unknown): Map<string, number> {
  check(isObject(vocab), 'not a JSON object of tokens and their ids', { area: 'vocab.json' });
  const out = new Map<string, number>();
  const seen = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    const good = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < maxTokens;
    check(
      good,
      () => msg`the id ${JSON.stringify(id)} of '${token}' is not a number from 0 to ${maxTokens - 1}`,
      { area: 'vocab.json' },
    );
    const other = seen.get(id);
    check(other === undefined, () => msg`'${other}' and '${token}' have the same id ${id}`, {
      area: 'vocab.json',
    });
    seen.set(id, token);
    out.set(token, id);
  }
  return out;
}

/** Encodes bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192)
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/** Decodes base64. Throws a HeddleError that starts with `name` if it is invalid. */
export function fromBase64(text: string, name: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new HeddleError('not base64', { area: name });
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
