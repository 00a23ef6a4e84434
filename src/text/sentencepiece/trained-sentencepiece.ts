// Tokenizers of the SentencePiece models that heddle trains. Their tokenizer.json has the components of Hugging
// Face's libraries, from which the `.model` file is made again, byte by byte.

import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { isObject, type Json } from '../../files/json-files.ts';
import { derivedTokenizer } from '../tokenizers/derived-tokenizer.ts';
import { metaspace, SPACE_MARK } from '../tokenizers/normalization.ts';
import {
  type AddedToken,
  specialFields,
  type Tokenizer,
  type TokenizerJson,
  tokenizerJson,
} from '../tokenizers/tokenizer.ts';
import { byteOfPiece, type PieceType, readSentencePiece } from './sentencepiece-model.ts';
import { fromBase64, SentencePieceTokenizer, toBase64 } from './sentencepiece-tokenizer.ts';
import { specialPieces, type WrittenModel, writeSentencePiece } from './sentencepiece-writer.ts';

const { '<pad>': pad, '<s>': start, '</s>': end, '<unk>': unknown } = specialPieces;
const special = { pad, start, end, unknown };

/** Creates the tokenizer of a model that `pieceSteps` trained. */
export function createTrainedSentencePiece(file: Uint8Array): Tokenizer {
  const tokenizer = new SentencePieceTokenizer({ file, name: 'SentencePiece model', special });
  let json: TokenizerJson | undefined;
  const toJSON = () => {
    json ??= modelJson(file);
    return json;
  };
  return derivedTokenizer(tokenizer, { modelFile: file, toJSON });
}

/**
 * Whether a parsed tokenizer.json is of a SentencePiece model that heddle trained, with its pieces as they are: those
 * of exports for transformers are written byte by byte (formats/tokenizers/byte-letters.ts), after two
 * pre-tokenizers.
 */
export const isTrainedSentencePiece = ({
  normalizer,
  added_tokens: added,
  pre_tokenizer: pre,
}: Json): boolean =>
  isObject(normalizer) &&
  !(isObject(pre) && pre.type === 'Sequence') &&
  JSON.stringify(normalizer).includes('"Precompiled"') &&
  Array.isArray(added) &&
  Object.entries(specialPieces).every(([text, id]) => added[id]?.content === text && added[id]?.id === id);

/** Loads the tokenizer from its tokenizer.json. Throws a HeddleError if it is invalid. */
export const loadTrainedSentencePiece = (file: Json): Tokenizer =>
  createTrainedSentencePiece(trainedModelFile(file));

/** The `.model` file of a tokenizer.json that heddle wrote. Throws a HeddleError if it is invalid. */
export function trainedModelFile({ model, normalizer, added_tokens: added }: Json): Uint8Array {
  const rules =
    isObject(normalizer) && Array.isArray(normalizer.normalizers) ? normalizer.normalizers[0] : {};
  check(
    isObject(model) && Array.isArray(added) && typeof rules?.precompiled_charsmap === 'string',
    'its model, added_tokens or normalizer is missing',
    { area: 'tokenizer.json' },
  );
  const typeOf = new Map(
    (added as Partial<AddedToken & { special: boolean }>[]).map(
      ({ content, special }): [unknown, PieceType] => [content, special ? 'control' : 'user-defined'],
    ),
  );
  typeOf.set('<unk>', 'unknown');
  const byteFallback = model.byte_fallback === true;
  const isBpe = model.type === 'BPE';
  const typed = (isBpe ? unscored : scored)(model).map(([text, score]) => ({
    text,
    score,
    type: typeOf.get(text) ?? (byteFallback && byteOfPiece(text) >= 0 ? 'byte' : 'normal'),
  }));
  // The score of a BPE piece is its negative rank among the normal pieces.
  let rank = 0;
  const pieces = isBpe
    ? typed.map((piece) => ({ ...piece, score: piece.type === 'normal' ? 0 - rank++ : 0 }))
    : typed;
  const named = (type: PieceType) => pieces.filter((piece) => piece.type === type).map(({ text }) => text);
  return writeSentencePiece({
    algorithm: isBpe ? 'bpe' : 'unigram',
    pieces,
    charsmap: fromBase64(rules.precompiled_charsmap, 'tokenizer.json'),
    byteFallback,
    controlSymbols: named('control').filter((text) => !Object.hasOwn(specialPieces, text)),
    userSymbols: named('user-defined'),
  });
}

/** Pieces and scores of a Unigram model, by id. */
function scored({ vocab }: Json): [string, number][] {
  const good =
    Array.isArray(vocab) &&
    vocab.every((entry) => typeof entry?.[0] === 'string' && Number.isFinite(entry[1]));
  check(good, 'the vocab of the Unigram model must be a list of pieces and scores', {
    area: 'tokenizer.json',
  });
  return vocab as [string, number][];
}

/** Pieces of a BPE model, by id. */
function unscored({ vocab }: Json): [string, number][] {
  check(isObject(vocab), 'the vocab of the BPE model must be an object', { area: 'tokenizer.json' });
  const entries = Object.entries(vocab);
  const list: [string, number][] = [];
  for (const [text, id] of entries) list[Number(id)] = [text, 0];
  const good = list.length === entries.length && entries.every(([, id]) => list[Number(id)]);
  check(good, msg`the ids of the vocab are not from 0 to ${entries.length - 1}`, { area: 'tokenizer.json' });
  return list;
}

/** The components of tokenizer.json. */
function modelJson(file: Uint8Array): TokenizerJson {
  const model = readSentencePiece(file, 'SentencePiece model');
  const { pieces, algorithm, byteFallback, normalizer } = model;
  const added = pieces.flatMap(({ text, type }, id): AddedToken[] =>
    type === 'control' || type === 'unknown' || type === 'user-defined'
      ? [{ id, content: text, ...specialFields, special: (type !== 'user-defined') as true }]
      : [],
  );
  return tokenizerJson({
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Precompiled', precompiled_charsmap: toBase64(normalizer.charsmap) },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
        { type: 'Replace', pattern: { Regex: '^ | $' }, content: '' },
      ],
    },
    pre_tokenizer: metaspace,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE_MARK }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1024, stop: 0 }, // all spaces at the start, as SentencePiece
      ],
    },
    model:
      algorithm === 'unigram'
        ? {
            type: 'Unigram',
            unk_id: unknown,
            vocab: pieces.map(({ text, score }) => [text, score]),
            byte_fallback: byteFallback,
          }
        : bpeJson(pieces, byteFallback),
  });
}

/** The BPE model: a merge for each pair of pieces that forms a piece, the piece with the highest score first. */
function bpeJson(pieces: WrittenModel['pieces'], byteFallback: boolean): Json {
  const normal = pieces.filter(({ type }) => type === 'normal').sort((a, b) => b.score - a.score);
  const known = new Set(normal.map(({ text }) => text));
  const merges = normal.flatMap(({ text }) => {
    const characters = [...text];
    return characters
      .slice(1)
      .map((_, i) => [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')])
      .filter((pair) => pair.every((part) => known.has(part)));
  });
  return {
    type: 'BPE',
    dropout: null,
    unk_token: '<unk>',
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
    merges,
  };
}
