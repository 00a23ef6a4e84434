// SentencePiece encoding and decoding, with the results of SentencePiece 0.2. The tokenizer of a translation
// model, with its own ids, is in sentencepiece-tokenizer.ts.
import { SPACE_MARK } from '../tokenizers/normalization.ts';
import { createTrie, decodeLossy, decodeUtf8, encodeUtf8 } from './byte-strings.ts';
import { createBpe, createUnigram } from './segmentation.ts';
import {
  byteOfPiece,
  isTextPiece,
  readSentencePiece,
  type SentencePieceModel,
} from './sentencepiece-model.ts';
import { createNormalizer } from './sentencepiece-normalizer.ts';

/** A piece of an encoded text. */
export interface EncodedPiece {
  readonly id: number;
  /** The piece; for the unknown id, the unknown text. */
  readonly text: string;
}

/** Encodes and decodes with a model. */
export interface SentencePieceProcessor {
  readonly model: SentencePieceModel;
  /**
   * Pieces of a text; adjacent unknown characters are one unknown piece. `dummyPrefix`: whether to put a
   * space mark before the text, if the model does so (default true).
   */
  encode(text: string, dummyPrefix?: boolean): EncodedPiece[];
  /** Text of pieces; unknown pieces stay as they are. */
  decode(pieces: readonly string[]): string;
  /** Normalized text with space marks, before segmentation. */
  normalize(text: string): string;
}

/** Loads a model file. Throws a HeddleError that starts with `name` if it is invalid. */
export function openSentencePiece(file: Uint8Array, name = 'SentencePiece model'): SentencePieceProcessor {
  const model = readSentencePiece(file, name);
  const { pieces, special, byteFallback } = model;
  const entries = pieces.map((piece, value) => ({ piece, bytes: piece.bytes, value }));
  const textPieces = entries.filter(({ piece }) => isTextPiece(piece));
  const trie = createTrie(textPieces, name);
  const userDefined = entries.filter(({ piece }) => piece.type === 'user-defined');
  const symbols = userDefined.length > 0 ? createTrie(userDefined, name) : undefined;
  const normalize = createNormalizer(model.normalizer, name, symbols, model.whitespaceAsSuffix);
  const denormalize = model.denormalizer && createNormalizer(model.denormalizer, name);
  const segment =
    model.algorithm === 'unigram' ? createUnigram(model, trie) : createBpe(model, trie, symbols);
  // If a text piece and a piece of another type have the same text, the latter wins, as in SentencePiece.
  const idOf = new Map<string, number>();
  for (const text of [true, false])
    for (const [id, piece] of pieces.entries()) if (isTextPiece(piece) === text) idOf.set(piece.text, id);
  const byteIds: number[] = [];
  for (const [id, { type, text }] of pieces.entries()) if (type === 'byte') byteIds[byteOfPiece(text)] = id;

  const { addDummyPrefix, removeExtraWhitespaces } = model.normalizer;
  const decode = (tokens: readonly string[]): string => {
    let out = '';
    let pending: number[] = [];
    const flush = () => {
      if (pending.length > 0) out += decodeLossy(Uint8Array.from(pending));
      pending = [];
    };
    let atStart = true;
    let sawMark = false;
    for (const token of tokens) {
      const id = idOf.get(token) ?? special.unknown;
      const type = pieces[id]?.type;
      if (type === 'byte') {
        pending.push(byteOfPiece(token));
        continue;
      }
      flush();
      if (sawMark || out !== '') atStart = false;
      sawMark = false;
      if (type === 'control') continue;
      if (type === 'unknown') {
        out += token === pieces[id]?.text ? model.unknownSurface : token;
        continue;
      }
      let text = token;
      if (atStart && (addDummyPrefix || removeExtraWhitespaces) && text.startsWith(SPACE_MARK)) {
        text = text.slice(1);
        sawMark = !removeExtraWhitespaces;
      }
      out += text.replaceAll(SPACE_MARK, ' ');
    }
    flush();
    return denormalize ? decodeLossy(denormalize(encodeUtf8(out))) : out;
  };

  return {
    model,
    normalize: (text) => decodeLossy(normalize(encodeUtf8(text))),
    encode(text, dummyPrefix) {
      const bytes = normalize(encodeUtf8(text), dummyPrefix);
      const out: EncodedPiece[] = [];
      let unknownFrom = -1;
      for (const { from, to, id } of segment(bytes)) {
        if (id !== special.unknown) {
          unknownFrom = -1;
          out.push({ id, text: (pieces[id] as (typeof pieces)[number]).text });
        } else if (byteFallback) {
          for (const byte of bytes.subarray(from, to)) {
            const piece = byteIds[byte] as number;
            out.push({ id: piece, text: (pieces[piece] as (typeof pieces)[number]).text });
          }
        } else {
          if (unknownFrom >= 0) out.pop();
          else unknownFrom = from;
          out.push({ id, text: decodeUtf8(bytes.subarray(unknownFrom, to)) });
        }
      }
      return out;
    },
    decode,
  };
}
