// A SentencePiece tokenizer in the components of tokenizer.json, for transformers.js.

import { present } from '../../core/present.ts';
import type { Json } from '../../files/json-files.ts';
import { encodeUtf8 } from '../../text/sentencepiece/byte-strings.ts';
import { openSentencePiece } from '../../text/sentencepiece/processor.ts';
import {
  byteOfPiece,
  type Piece,
  type SentencePieceModel,
} from '../../text/sentencepiece/sentencepiece-model.ts';
import type { TokenRules } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { fromBase64, sentencePieceModelType } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { metaspace, SPACE_MARK } from '../../text/tokenizers/normalization.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { bytesAsLetters } from './byte-level-bpe.ts';
import { replace, sentencePieceNormalizers, TOKEN_END, TOKEN_MARK } from './sentencepiece-normalizers.ts';
import { classPattern, triePattern } from './trie-pattern.ts';

/** What the tokenizer.json of a SentencePiece tokenizer states. */
export interface SavedSentencePiece extends TokenRules {
  readonly model: SentencePieceModel;
  /** Ids by token; null: those of the model. */
  readonly vocab: Readonly<Record<string, number>> | null;
  /** Whether normalization turns space marks in a text into spaces. */
  readonly marksAreSpaces: boolean;
}

/** The SentencePiece model and the options of a tokenizer; undefined if it is of another kind. */
export function savedSentencePiece(tokenizer: Tokenizer): SavedSentencePiece | undefined {
  const trained = tokenizer.modelFile;
  const saved = trained ? {} : (tokenizer.toJSON().model as Json);
  if (!trained && saved.type !== sentencePieceModelType) return undefined;
  const file = trained ?? fromBase64(String(saved.file), 'tokenizer.json');
  const { model, normalize } = openSentencePiece(file, 'tokenizer.json');
  const { vocab, symbols, hidden, spaced, legacy } = saved as unknown as Partial<SavedSentencePiece>;
  return {
    model,
    vocab: vocab ?? null,
    symbols: symbols ?? [],
    hidden: hidden ?? [],
    spaced: spaced ?? [],
    legacy: legacy !== false,
    marksAreSpaces: !normalize(`a${SPACE_MARK}${SPACE_MARK}a`).includes(`${SPACE_MARK}${SPACE_MARK}`),
  };
}

/** A target language of a multilingual MarianMT model, which a text may start with. */
const targetLanguage = /^>>[^<>\s]+<<$/;

const isSymbol = ({ type }: Piece): boolean => type === 'user-defined';

/** Pieces that encoding a text can give. */
const encodedPieces = ({ pieces, byteFallback }: SentencePieceModel): readonly Piece[] =>
  pieces.filter(
    (piece) => piece.type === 'normal' || isSymbol(piece) || (byteFallback && piece.type === 'byte'),
  );

/** Tokens that neither a text nor a translation has. */
export const silentTokens = ({ model, hidden }: SavedSentencePiece): string[] => [
  ...hidden,
  ...model.pieces.filter(({ type }) => type === 'control').map(({ text }) => text),
];

/** Pieces that have no id, or the id of a special token: encoding gives the unknown token instead. */
export function missingPieces(
  { special }: Tokenizer,
  { model, vocab, hidden }: SavedSentencePiece,
): string[] {
  if (vocab === null) return [];
  const silent = new Set([special.pad, special.start, special.end, ...hidden.map((token) => vocab[token])]);
  const isMissing = (text: string) => !Object.hasOwn(vocab, text) || silent.has(vocab[text]);
  return encodedPieces(model).flatMap(({ text }) => (isMissing(text) ? [text] : []));
}

/** A tokenizer as components of tokenizer.json. */
export interface TokenizerComponents {
  readonly json: Json;
  /** The name of a token: with TOKEN_MARK unless a text may spell it out. */
  nameOf(token: string): string;
  /** Differences in how transformers.js treats some texts. */
  readonly differences: readonly string[];
}

/**
 * Exports a tokenizer with the ids `ids` of its tokens and those of the target. `missing` are the ids of the
 * tokens that `missingPieces` lists.
 */
export function sentencePieceJson(
  tokenizer: Tokenizer,
  saved: SavedSentencePiece,
  ids: ReadonlyMap<string, number>,
  missing: ReadonlyMap<string, number>,
): TokenizerComponents {
  const { model, vocab, symbols, spaced, legacy } = saved;
  const isBpe = model.algorithm === 'bpe';
  const isOfBytes = usesBytes(model);
  const encoded = new Map(encodedPieces(model).map((piece) => [piece.text, piece]));
  const texts = [...encoded].flatMap(([text, { type }]) => (type === 'byte' ? [] : [text]));
  // Merges of BPE never cross a symbol.
  const apart = new Set(isBpe ? texts.filter((text) => isSymbol(encoded.get(text) as Piece)) : []);
  const written = (token: string) => {
    if (!isOfBytes) return token;
    const byte = encoded.get(token)?.type === 'byte' ? byteOfPiece(token) : -1;
    if (byte < 0) return bytesAsLetters(encodeUtf8(token));
    const letter = bytesAsLetters([byte]);
    return byte < 128 && encoded.has(String.fromCharCode(byte)) ? TOKEN_MARK + letter : letter;
  };
  const marked = (token: string) => TOKEN_MARK + written(token) + (isBpe ? TOKEN_END : '');
  const pieceName = (text: string) => (apart.has(text) ? marked(text) : written(text));
  const spelled = new Set(symbols);
  const nameOf = (token: string) =>
    spelled.has(token) ? token : encoded.has(token) && !missing.has(token) ? pieceName(token) : marked(token);
  const names = new Map([...ids].map(([token, id]) => [nameOf(token), id]));
  for (const [text, id] of missing) names.set(pieceName(text), id);

  const known = new Set(texts.flatMap((text) => (apart.has(text) ? [] : [...text])));
  const lookedUp = lookedUpTokens(tokenizer, saved).filter((token) => !encoded.has(token));
  const runs = lookedUp.filter((token) => ![...token].some((character) => known.has(character)));
  const languages = Object.keys(vocab ?? {}).filter((token) => targetLanguage.test(token));
  const unknown = classPattern([...known, TOKEN_MARK, TOKEN_END], true);
  const marksLanguages = languages.length > 0 && !isOfBytes;
  const inMarked = TOKEN_MARK + (isBpe ? `[^${TOKEN_END}]*` : '(?:>>[^<>\\s]*<?)?');
  const first = model.normalizer.addDummyPrefix && !legacy;
  const normalizers = present([
    ...sentencePieceNormalizers(model, {
      languages: marksLanguages ? languages : [],
      known: new Set([...known, ...lookedUp.join('')]),
      token: marked('$&'),
      leading: !first ? 'mark' : spaced.length > 0 ? 'one' : saved.marksAreSpaces ? 'none' : 'two',
    }),
    apart.size > 0 ? replace(triePattern(apart), marked('$&')) : undefined,
    // Text without pieces is looked up as a whole.
    runs.length > 0
      ? replace(`(?<!${unknown}|${inMarked})${triePattern(runs)}(?!${unknown})`, marked('$&'))
      : undefined,
  ]);
  const unknownName = nameOf(tokenizer.token(tokenizer.special.unknown));
  return {
    nameOf,
    differences: present([
      languages.length > 0 && !marksLanguages
        ? 'a target language such as >>fra<< is part of the text'
        : undefined,
      lookedUp.length > 0 && [...known].some((character) => !encoded.has(character))
        ? 'characters that occur in longer pieces only are not looked up in vocab.json'
        : undefined,
      isBpe && model.pieces.some(({ type }) => type === 'unused')
        ? 'unused pieces are not split again'
        : undefined,
      model.denormalizer ? 'the denormalizer is not applied to translations' : undefined,
    ]),
    json: {
      added_tokens: symbols.map((content) => ({
        content,
        special: false,
        single_word: false,
        lstrip: false,
        normalized: false,
        rstrip: !legacy && !spaced.includes(content),
      })),
      normalizer: { type: 'Sequence', normalizers },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: present([
          first ? { ...metaspace, prepend_scheme: 'first' } : undefined,
          isOfBytes ? byteLevel : undefined,
        ]),
      },
      model: isBpe
        ? bpeJson(model, names, unknownName, [...new Set([...apart, ...languages, ...runs])].map(marked))
        : unigramJson(
            model,
            names,
            unknownName,
            new Map([...encoded.keys()].map((text) => [pieceName(text), text])),
          ),
    },
  };
}

/**
 * Whether an exported Unigram model has bytes instead of characters: transformers.js has no byte fallback for
 * it.
 */
const usesBytes = ({ algorithm, byteFallback }: SentencePieceModel): boolean =>
  byteFallback && algorithm === 'unigram';

const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };

/** Removes all space marks at the start of a text, as SentencePiece does. */
const leadingMarks = { type: 'Strip', content: SPACE_MARK, start: 1024, stop: 0 };

/** The decoder of a translation: it removes the marks of tokens, and turns space marks into spaces. */
export const sentencePieceDecoder = (
  source: SavedSentencePiece | undefined,
  target: SavedSentencePiece,
): Json => {
  const bytes = target.model.byteFallback ? { type: 'ByteFallback' } : undefined;
  const isTrimmed = target.model.normalizer.removeExtraWhitespaces;
  return {
    type: 'Sequence',
    decoders: present<Json>([
      { type: 'Replace', pattern: { Regex: `[${TOKEN_MARK}${TOKEN_END}]` }, content: '' },
      source && usesBytes(source.model) ? byteLevel : bytes,
      isTrimmed ? { type: 'Fuse' } : undefined,
      isTrimmed ? leadingMarks : undefined,
      metaspace,
    ]),
  };
};

/** Tokens of vocab.json that text without pieces may be. */
function lookedUpTokens(
  { special }: Tokenizer,
  { model, vocab, symbols, hidden }: SavedSentencePiece,
): string[] {
  if (model.byteFallback) return [];
  const others = new Set([
    ...symbols,
    ...hidden,
    ...model.pieces.flatMap((piece) => (piece.type === 'normal' ? [] : [piece.text])),
  ]);
  const silent = new Set<number>(Object.values(special));
  return Object.entries(vocab ?? {}).flatMap(([token, id]) =>
    others.has(token) || silent.has(id) ? [] : [token],
  );
}

/**
 * The Unigram model: tokens by id with their scores. Names that no text contains get the largest score, which
 * has no effect. `texts`: the pieces by name.
 */
function unigramJson(
  model: SentencePieceModel,
  names: ReadonlyMap<string, number>,
  unknown: string,
  texts: ReadonlyMap<string, string>,
): Json {
  const normal = model.pieces.flatMap(({ type, score }) => (type === 'normal' ? [score] : []));
  const max = normal.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const min = normal.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  // As in SentencePiece, see segmentation.ts.
  const symbolUnit = Math.max(max, Math.fround(2 ** -126));
  const pieces = new Map(encodedPieces(model).map((piece) => [piece.text, piece]));
  const scoreOf = (name: string): number => {
    const piece = pieces.get(texts.get(name) ?? '');
    if (!piece) return max;
    if (isSymbol(piece)) return Math.fround(piece.bytes.length * symbolUnit) - 0.1;
    if (piece.type !== 'byte') return piece.score;
    // The bytes of a character have the score of an unknown one, at the first byte.
    return (byteOfPiece(piece.text) & 0xc0) === 0x80 ? 0 : Math.fround(min - 10);
  };
  const vocab = Array.from({ length: Math.max(...names.values()) + 1 }, (): [string, number] => ['', max]);
  for (const [name, id] of names) vocab[id] = [name, scoreOf(name)];
  return { type: 'Unigram', unk_id: names.get(unknown), vocab };
}

/** The tokens, and merges by score: first those of the marked tokens, from the end of each. */
function bpeJson(
  { pieces, byteFallback }: SentencePieceModel,
  names: ReadonlyMap<string, number>,
  unknown: string,
  marked: readonly string[],
): Json {
  const chains = marked.flatMap((name) => {
    const characters = [...name];
    return characters
      .slice(1)
      .map((_, i) => [characters.at(-2 - i) as string, characters.slice(-1 - i).join('')] as const);
  });
  const texts = new Map(
    pieces.flatMap(({ text, type, score }) => (type === 'normal' ? [[text, score]] : [])),
  );
  const merges: { pair: readonly [string, string]; score: number }[] = [];
  for (const [piece, score] of texts) {
    const characters = [...piece];
    for (let i = 1; i < characters.length; i++) {
      const pair = [characters.slice(0, i).join(''), characters.slice(i).join('')] as const;
      const sizes = [i, characters.length - i];
      if (pair.every((part, side) => sizes[side] === 1 || texts.has(part))) merges.push({ pair, score });
    }
  }
  merges.sort((a, b) => b.score - a.score);
  return {
    type: 'BPE',
    dropout: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    unk_token: unknown,
    fuse_unk: true,
    byte_fallback: byteFallback,
    ignore_merges: false,
    vocab: Object.fromEntries(names),
    merges: [
      ...new Map(
        [...chains, ...merges.map(({ pair }) => pair)].map((pair) => [pair.join(' '), pair]),
      ).values(),
    ],
  };
}
