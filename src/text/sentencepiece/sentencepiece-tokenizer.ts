// SentencePiece models as tokenizers. Ids are the model's own or, as in MarianMT, those of a vocab.json that
// both languages share. tokenizer.json embeds the model file in base64.

import { check, HeddleError } from '../../core/errors.ts';
import { isCount, isObject } from '../../files/json-files.ts';
import { maxTokens } from '../tokenizers/bpe-merges.ts';
import { SPACE_MARK } from '../tokenizers/normalization.ts';
import { checkId, type SpecialIds, type Tokenizer, tokenizerJson } from '../tokenizers/tokenizer.ts';
import { openSentencePiece } from './processor.ts';

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

/** Options of `createSentencePieceTokenizer`. */
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
 * Creates a tokenizer from a SentencePiece model. Text may start with a language code, `>>fra<<`, if the
 * vocabulary has it. Throws a HeddleError that starts with `name` if the model or the vocabulary is invalid
 * or lacks a special token.
 */
export function createSentencePieceTokenizer(options: SentencePieceTokenizerOptions): Tokenizer {
  const { file, name, vocab, special, size, symbols = [], hidden = [], legacy = true, spaced = [] } = options;
  const model = openSentencePiece(file, name);
  const { pieces: own, special: at, normalizer: rules } = model.model;
  const idOf = vocab === undefined ? new Map(own.map(({ text }, id) => [text, id])) : readVocab(vocab);
  const tokens: (string | undefined)[] = vocab === undefined ? own.map(({ text }) => text) : [];
  if (vocab !== undefined) for (const [text, id] of idOf) tokens[id] = text;
  const count = Math.max(size ?? 0, tokens.length);
  check(count <= maxTokens, `${name}: a vocabulary of ${count} tokens, at most ${maxTokens} are read`);
  const find = (role: string, given: number | undefined, text: string): number => {
    const id = given ?? idOf.get(text);
    check(
      id !== undefined,
      `${name}: the vocabulary of ${idOf.size} tokens has no '${text}', the ${role} token`,
    );
    check(id < count, `${name}: the ${role} token has the id ${id}, the vocabulary has ${count} tokens`);
    return id;
  };
  const ofModel = (id: number): number | undefined => (vocab === undefined && id >= 0 ? id : undefined);
  const pad = find('padding', special?.pad ?? ofModel(at.pad), '<pad>');
  const ids: SpecialIds = {
    pad,
    start: find('start', special?.start ?? pad, '<pad>'),
    end: find('end', special?.end ?? ofModel(at.end), '</s>'),
    unknown: find('unknown', special?.unknown ?? ofModel(at.unknown), '<unk>'),
  };
  /** Special tokens: text never encodes to them, and they are skipped in decoded text. */
  const silent = new Set([ids.pad, ids.start, ids.end, ...hidden.flatMap((text) => idOf.get(text) ?? [])]);
  const spelled = new Map(
    symbols.flatMap((text) => (idOf.has(text) ? [[text, idOf.get(text) as number]] : [])),
  );
  const spelledIds = new Set(spelled.values());
  const splitter = spelled.size > 0 && new RegExp(`(${[...spelled.keys()].map(escapePattern).join('|')})`);
  const textId = (text: string): number => {
    const id = idOf.get(text);
    return id === undefined || silent.has(id) ? ids.unknown : id;
  };
  const known = vocab === undefined ? undefined : Int32Array.from(own, (piece) => textId(piece.text));
  const unknownPiece = at.unknown;

  /** The pieces of a part of a text; `symbol`: the symbol before it, if there is one. */
  const piecesOf = (part: string, symbol: string | undefined) => {
    if (legacy) return model.encode(part);
    // transformers puts the unknown token and a space mark before the text, and none before other parts. The
    // pieces of the unknown token are removed; it keeps the space mark from being a space at the start, which
    // normalization removes.
    if (symbol !== undefined) return model.encode(part, spaced.includes(symbol) && part.startsWith(' '));
    const before = own[unknownPiece]?.text ?? '';
    if (part.trim() === '') return [];
    return model.encode(`${before}${SPACE_MARK}${part}`, false).slice(model.encode(before, false).length);
  };
  const encode = (text: string): number[] => {
    const code = languageCode.exec(text)?.[0];
    const codeId = code === undefined ? undefined : idOf.get(code);
    const rest = codeId === undefined ? text : text.slice(code?.length);
    const plain = legacy ? rest : rest.replaceAll(SPACE_MARK, ' ');
    const parts = splitter ? plain.split(splitter) : [plain];
    // A piece that the model does not have may be in the vocabulary of both languages.
    const tokenIds = parts.flatMap(
      (part, i) =>
        spelled.get(part) ??
        piecesOf(part, parts[i - 1]).map((piece) =>
          !known ? piece.id : piece.id === unknownPiece ? textId(piece.text) : (known[piece.id] as number),
        ),
    );
    return codeId === undefined ? tokenIds : [codeId, ...tokenIds];
  };
  const token = (id: number): string => {
    checkId(id, count);
    return tokens[id] ?? `[unused${id}]`;
  };
  const decode = (tokenIds: Iterable<number>): string => {
    let out = '';
    let pieces: string[] = [];
    const flush = () => {
      out += model.decode(pieces);
      pieces = [];
    };
    for (const id of tokenIds) {
      const text = token(id);
      if (silent.has(id) || tokens[id] === undefined) continue;
      if (!spelledIds.has(id) && (vocab === undefined || id !== ids.unknown)) {
        pieces.push(text);
        continue;
      }
      flush();
      out += out === '' || out.endsWith(' ') ? `${text} ` : ` ${text} `;
    }
    flush();
    // Pieces that only the other language has keep their space marks.
    return vocab === undefined ? out : out.replaceAll(SPACE_MARK, ' ').trim();
  };
  const normalize = (text: string): string => {
    const marked = model.normalize(text);
    if (vocab !== undefined) return marked.replaceAll(SPACE_MARK, ' ').trim();
    const atStart = marked.startsWith(SPACE_MARK) && (rules.addDummyPrefix || rules.removeExtraWhitespaces);
    return marked.slice(atStart ? 1 : 0).replaceAll(SPACE_MARK, ' ');
  };
  const toJSON = () =>
    tokenizerJson({
      model: {
        type: sentencePieceModelType,
        file: toBase64(file),
        vocab: vocab === undefined ? null : Object.fromEntries(idOf),
        special: ids,
        size: count,
        symbols: symbols.length > 0 ? symbols : undefined,
        hidden: hidden.length > 0 ? hidden : undefined,
        legacy: legacy ? undefined : false,
        spaced: legacy ? undefined : spaced,
      },
    });
  return { kind: 'sentencepiece', size: count, special: ids, encode, decode, token, normalize, toJSON };
}

/** Loads the tokenizer from the `model` of its `toJSON`. Throws a HeddleError if it is invalid. */
export function loadSentencePieceTokenizer(model: Readonly<Record<string, unknown>>): Tokenizer {
  const name = 'tokenizer.json';
  const { file, vocab, special, size, symbols = [], hidden = [], legacy = true, spaced = [] } = model;
  const isId = (x: unknown): x is number => isCount(x) && x <= maxTokens;
  const given = (typeof special === 'object' && special !== null ? special : {}) as Record<string, unknown>;
  const { pad, start, end, unknown } = given;
  check(typeof file === 'string', `${name}: the ${sentencePieceModelType} model has no file`);
  if (!isId(size) || !isId(pad) || !isId(start) || !isId(end) || !isId(unknown))
    throw new HeddleError(
      `${name}: size and special must be ids, they are ${JSON.stringify({ size, special })}`,
    );
  if (
    ![symbols, hidden, spaced].every(
      (list) => Array.isArray(list) && list.every((text) => typeof text === 'string'),
    )
  )
    throw new HeddleError(`${name}: symbols, hidden and spaced must be lists of tokens`);
  const ids = { pad, start, end, unknown };
  return createSentencePieceTokenizer({
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
  check(isObject(vocab), 'vocab.json: not a JSON object of tokens and their ids');
  const out = new Map<string, number>();
  const seen = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    const good = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < maxTokens;
    check(
      good,
      () =>
        `vocab.json: the id ${JSON.stringify(id)} of '${token}' is not a number from 0 to ${maxTokens - 1}`,
    );
    const other = seen.get(id);
    check(other === undefined, () => `vocab.json: '${other}' and '${token}' have the same id ${id}`);
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
    throw new HeddleError(`${name}: not base64`);
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
