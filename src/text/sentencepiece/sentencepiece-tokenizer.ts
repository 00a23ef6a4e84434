// SentencePiece models as tokenizers of translation models: with ids of their own or, as MarianMT has it, with those of a vocab.json
// that both languages share. In JSON the model file is kept as it is, in base64.

import { check, HeddleError } from '../../core/errors.ts';
import { isObject } from '../../files/json-files.ts';
import { maxTokens } from '../tokenizers/bpe-merges.ts';
import { SPACE_MARK } from '../tokenizers/normalization.ts';
import type { SpecialIds, Tokenizer, TokenizerJson } from '../tokenizers/tokenizer.ts';
import { openSentencePiece } from './processor.ts';

/** What a tokenizer of pieces is made of. */
export interface SentencePieceTokenizerOptions {
  /** The bytes of a SentencePiece model, and its name for errors. */
  readonly file: Uint8Array;
  readonly name: string;
  /** Ids of pieces, as a parsed vocab.json with `<unk>` in it; those of the model itself where it is left out. */
  readonly vocab?: unknown;
  /** Ids that the translation model says; those of `</s>`, `<pad>` and, to start, `<pad>` again where they are left out. */
  readonly special?: Partial<SpecialIds>;
  /** Tokens of the translation model, where it has more than the vocabulary; those above stand for nothing. */
  readonly size?: number;
}

/** `model.type` in JSON; no library but this one reads it. */
export const sentencePieceModelType = 'SentencePiece';

/** The language that a multilingual model is to write, before the text: `>>fra<< Good morning.` */
const languageCode = /^>>[^<>\s]+<</;

/**
 * A tokenizer of pieces. A text may begin with a language code, `>>fra<<`, where the vocabulary has it. Throws a HeddleError, with
 * the file's name, where the model or the vocabulary is broken or has no such special tokens.
 */
export function createSentencePieceTokenizer({
  file,
  name,
  vocab,
  special,
  size,
}: SentencePieceTokenizerOptions): Tokenizer {
  const model = openSentencePiece(file, name);
  const { pieces: own, special: at, normalizer: rules } = model.model;
  const idOf = vocab === undefined ? new Map(own.map(({ text }, id) => [text, id])) : readVocab(vocab);
  const tokens: (string | undefined)[] = vocab === undefined ? own.map(({ text }) => text) : [];
  if (vocab !== undefined) for (const [text, id] of idOf) tokens[id] = text;
  const count = Math.max(size ?? 0, tokens.length);
  check(count <= maxTokens, `${name}: a vocabulary of ${count} tokens, at most ${maxTokens} are read`);
  const find = (role: string, given: number | undefined, text: string): number => {
    const id = given ?? idOf.get(text);
    check(id !== undefined, `${name}: the vocabulary of ${idOf.size} tokens has no '${text}', the ${role} token`);
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
  /** What is no text: it is never found in one, and not said. */
  const silent = new Set([ids.pad, ids.start, ids.end]);
  const textId = (text: string): number => {
    const id = idOf.get(text);
    return id === undefined || silent.has(id) ? ids.unknown : id;
  };
  const known = vocab === undefined ? undefined : Int32Array.from(own, (piece) => textId(piece.text));
  const unknownPiece = at.unknown;

  const encode = (text: string): number[] => {
    const code = languageCode.exec(text)?.[0];
    const codeId = code === undefined ? undefined : idOf.get(code);
    const rest = codeId === undefined ? text : text.slice(code?.length);
    // What is unknown to the model may be in the vocabulary, where that serves another language too.
    const found = model
      .encode(rest)
      .map((piece) =>
        !known ? piece.id : piece.id === unknownPiece ? textId(piece.text) : (known[piece.id] as number),
      );
    return codeId === undefined ? found : [codeId, ...found];
  };
  const token = (id: number): string => {
    check(
      Number.isInteger(id) && id >= 0 && id < count,
      `tokenizer: no token has the id ${id}; ids go from 0 to ${count - 1}`,
    );
    return tokens[id] ?? `[unused${id}]`;
  };
  const decode = (some: Iterable<number>): string => {
    let out = '';
    let pieces: string[] = [];
    const flush = () => {
      out += model.decode(pieces);
      pieces = [];
    };
    for (const id of some) {
      const text = token(id);
      if (silent.has(id) || tokens[id] === undefined) continue;
      if (vocab === undefined || id !== ids.unknown) {
        pieces.push(text);
        continue;
      }
      flush();
      out += out === '' || out.endsWith(' ') ? `${text} ` : ` ${text} `;
    }
    flush();
    // Pieces of the other language, which the model does not have, still have their marks.
    return vocab === undefined ? out : out.replaceAll(SPACE_MARK, ' ').trim();
  };
  const normalize = (text: string): string => {
    const marked = model.normalize(text);
    if (vocab !== undefined) return marked.replaceAll(SPACE_MARK, ' ').trim();
    const atStart = marked.startsWith(SPACE_MARK) && (rules.addDummyPrefix || rules.removeExtraWhitespaces);
    return marked.slice(atStart ? 1 : 0).replaceAll(SPACE_MARK, ' ');
  };
  const toJSON = (): TokenizerJson => ({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: {
      type: sentencePieceModelType,
      file: toBase64(file),
      vocab: vocab === undefined ? null : Object.fromEntries(idOf),
      special: ids,
      size: count,
    },
  });
  return {
    kind: 'sentencepiece',
    size: count,
    special: ids,
    encode,
    decode,
    token,
    normalize,
    toJSON,
  };
}

/** The tokenizer of what `toJSON` made. Throws a HeddleError where it is broken. */
export function loadSentencePieceTokenizer(model: Readonly<Record<string, unknown>>): Tokenizer {
  const name = 'tokenizer.json';
  const { file, vocab, special, size } = model;
  const isId = (x: unknown): x is number =>
    typeof x === 'number' && Number.isSafeInteger(x) && x >= 0 && x <= maxTokens;
  const given = (typeof special === 'object' && special !== null ? special : {}) as Record<string, unknown>;
  const { pad, start, end, unknown } = given;
  check(typeof file === 'string', `${name}: the ${sentencePieceModelType} model has no file`);
  if (!isId(size) || !isId(pad) || !isId(start) || !isId(end) || !isId(unknown))
    throw new HeddleError(`${name}: size and special must be ids, they are ${JSON.stringify({ size, special })}`);
  const ids = { pad, start, end, unknown };
  return createSentencePieceTokenizer({
    file: fromBase64(file, name),
    name,
    special: ids,
    size,
    ...(vocab !== null && vocab !== undefined && { vocab }),
  });
}

/** The ids of a parsed vocab.json. Throws a HeddleError where an id is none, or two tokens have the same. */
function readVocab(vocab: unknown): Map<string, number> {
  check(isObject(vocab), 'vocab.json: not a JSON object of tokens and their ids');
  const out = new Map<string, number>();
  const seen = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    const good = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < maxTokens;
    check(
      good,
      () => `vocab.json: the id ${JSON.stringify(id)} of '${token}' is not a number from 0 to ${maxTokens - 1}`,
    );
    const other = seen.get(id);
    check(other === undefined, () => `vocab.json: '${other}' and '${token}' have the same id ${id}`);
    seen.set(id, token);
    out.set(token, id);
  }
  return out;
}

/** The base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/** The bytes of base64. Throws a HeddleError that begins with `name` where it is none. */
export function fromBase64(text: string, name: string): Uint8Array {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new HeddleError(`${name}: not base64`);
  }
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
