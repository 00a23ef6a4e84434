// The tokenizer interface, and the word, character and BPE tokenizers of heddle with their tokenizer.json.
// Training is in vocabulary-training.ts and bpe-training.ts, loading in load-tokenizer.ts.
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { applyMerges, pairOf } from './bpe-merges.ts';
import type { TokenizerKind } from './normalization.ts';
import { createTextNormalizer, normalizerJson, piecesJson, SPACE_MARK, splitWord } from './normalization.ts';

export type { TokenizerKind } from './normalization.ts';

/** Ids of the special tokens. */
export interface SpecialIds {
  /** Padding at the end of a row. */
  readonly pad: number;
  /** The first token that the decoder reads. */
  readonly start: number;
  /** The end of a text. */
  readonly end: number;
  /** A token that is not in the vocabulary. */
  readonly unknown: number;
}

/** Special tokens in the order of their ids in a new vocabulary: 0, 1, 2, 3. */
export const specialTokens = ['[PAD]', '[start]', '[end]', '[UNK]'] as const;

/** Converts text to token ids and back. */
export interface Tokenizer {
  /**
   * `sentencepiece` and `huggingface` are tokenizers of other tools, see sentencepiece-tokenizer.ts and
   * hf-tokenizer.ts.
   */
  readonly kind: TokenizerKind | 'sentencepiece' | 'huggingface';
  /** Vocabulary size; ids are below it. */
  readonly size: number;
  /** Ids of the special tokens. */
  readonly special: SpecialIds;
  /** Id that starts every encoded text, if the model was trained so. */
  readonly begin?: number;
  /** Ids that end every encoded text, before the end token, if the model was trained so. */
  readonly suffix?: readonly number[];
  /**
   * Ids of a text, without start and end token; unknown tokens are `special.unknown`. Text never encodes to a
   * special token.
   */
  encode(text: string): number[];
  /**
   * Text of ids, without padding, start and end; unknown tokens as [UNK]. Throws a HeddleError for an id
   * outside the vocabulary.
   */
  decode(ids: Iterable<number>): string;
  /** Normalized text: equals `decode(encode(text))` if no token is unknown. */
  normalize(text: string): string;
  /** The text of each token of `encode(text)`, also of unknown ones; a space at its start is SPACE_MARK. */
  pieces?(text: string): string[];
  /** The token of an id as in the vocabulary. Throws a HeddleError for an id outside the vocabulary. */
  token(id: number): string;
  /** The `.model` file of a SentencePiece tokenizer that heddle trained. */
  readonly modelFile?: Uint8Array;
  /** The tokenizer in the format of Hugging Face's tokenizer.json, for JSON.stringify. */
  toJSON(): TokenizerJson;
}

/** The fields of a tokenizer.json that heddle writes. */
export interface TokenizerJson {
  /** Version of the format: `1.0`. */
  readonly version: string;
  /** None: the model crops texts. */
  readonly truncation: null;
  /** None: the model pads batches. */
  readonly padding: null;
  /** Special tokens, which no text encodes to. */
  readonly added_tokens: readonly AddedToken[];
  /** What changes the text before it is split. */
  readonly normalizer: unknown;
  /** How the text is split into words. */
  readonly pre_tokenizer: unknown;
  /** None: the model adds start and end tokens. */
  readonly post_processor: null;
  /** How tokens become text. */
  readonly decoder: unknown;
  /** The vocabulary, and how a word becomes tokens. */
  readonly model: unknown;
}

/** A special token in tokenizer.json. */
export interface AddedToken {
  /** Its id. */
  readonly id: number;
  /** Its text. */
  readonly content: string;
  /** `decode` omits it. */
  readonly special: true;
  /** It may be part of a word. */
  readonly single_word: false;
  /** Spaces before it stay. */
  readonly lstrip: false;
  /** Spaces after it stay. */
  readonly rstrip: false;
  /** It is found in the text as it is. */
  readonly normalized: false;
}

/** Definition of a tokenizer. */
export interface TokenizerParts {
  readonly kind: TokenizerKind;
  readonly lowercase: boolean;
  /** Tokens by id. */
  readonly vocab: readonly string[];
  /** BPE merges, highest priority first. */
  readonly merges?: readonly (readonly [string, string])[];
}

/** Maximum number of words in the cache of ids; it is cleared when full. */
const cacheSize = 100_000;

/** A tokenizer.json without added tokens; `fields` override the defaults. */
export const tokenizerJson = (
  fields: Partial<TokenizerJson> & Pick<TokenizerJson, 'model'>,
): TokenizerJson => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  ...fields,
});

/** Throws a HeddleError unless `id` is in a vocabulary of `size` tokens. */
export const checkId = (id: number, size: number): void =>
  check(
    Number.isInteger(id) && id >= 0 && id < size,
    msg`no token has the id ${id}; ids go from 0 to ${size - 1}`,
    { area: 'tokenizer' },
  );

/**
 * Creates a tokenizer. Throws a HeddleError if a special token or a token of a merge is not in the
 * vocabulary.
 */
export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const { kind, lowercase, vocab, merges = [] } = parts;
  const idOf = new Map(vocab.map((token, id) => [token, id]));
  const need = (token: string): number => {
    const id = idOf.get(token);
    check(id !== undefined, msg`the vocabulary of ${vocab.length} tokens lacks '${token}'`, {
      area: 'tokenizer',
    });
    return id;
  };
  const [pad, start, end, unknown] = specialTokens.map(need) as [number, number, number, number];
  const table = new Map(merges.map(([a, b], rank) => [pairOf(need(a), need(b)), { rank, id: need(a + b) }]));
  const normalize = createTextNormalizer(lowercase);
  const silent = new Set([pad, start, end]);
  const textId = (text: string): number => {
    const id = idOf.get(text);
    return id === undefined || id === pad || id === start || id === end ? unknown : id;
  };

  const wordIds = (word: string): number[] =>
    kind === 'word'
      ? splitWord(word).map(textId)
      : splitWord(word).flatMap((piece) => applyMerges(Array.from(piece, textId), table));
  let cache = new Map<string, number[]>();
  const cachedIds = (word: string): number[] => {
    let ids = cache.get(word);
    if (ids === undefined) {
      ids = wordIds(word);
      if (cache.size >= cacheSize) cache = new Map();
      cache.set(word, ids);
    }
    return ids;
  };

  const token = (id: number): string => {
    checkId(id, vocab.length);
    return vocab[id] as string;
  };

  return {
    kind,
    size: vocab.length,
    special: { pad, start, end, unknown },
    normalize,
    token,
    encode(text) {
      const normal = normalize(text);
      if (normal === '') return [];
      if (kind === 'char') return Array.from(normal, textId);
      const out: number[] = [];
      for (const word of normal.split(' ')) for (const id of cachedIds(word)) out.push(id);
      return out;
    },
    pieces(text) {
      const normal = normalize(text);
      if (kind === 'char') return Array.from(normal);
      const pieces = normal === '' ? [] : normal.split(' ').flatMap(splitWord);
      if (kind === 'word') return pieces;
      return pieces.flatMap((piece) => {
        const characters = Array.from(piece);
        return applyMerges(characters.map(textId), table).map((id) =>
          characters.splice(0, id === unknown ? 1 : Array.from(vocab[id] as string).length).join(''),
        );
      });
    },
    decode(ids) {
      let out = '';
      for (const id of ids) {
        const text = token(id);
        if (!silent.has(id)) out += id === unknown && kind === 'word' ? SPACE_MARK + text : text;
      }
      if (kind === 'char') return out;
      return out.replaceAll(SPACE_MARK, ' ').replace(/^ /, '');
    },
    toJSON: () =>
      tokenizerJson({
        added_tokens: specialTokens
          .map((content) => addedToken(need(content), content))
          .sort((a, b) => a.id - b.id),
        normalizer: normalizerJson(lowercase),
        ...piecesJson(kind),
        model: modelJson(parts),
      }),
  };
}

/** Fields of a special token in tokenizer.json. */
export const specialFields = {
  special: true,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
} as const;

const addedToken = (id: number, content: string): AddedToken => ({ id, content, ...specialFields });

/**
 * The `model` of tokenizer.json. A word tokenizer is a WordPiece model without continuation tokens, which
 * gives a word or [UNK]: WordLevel of @huggingface/tokenizers does not support an unknown token.
 */
function modelJson({ kind, vocab, merges = [] }: TokenizerParts): unknown {
  const ids = Object.fromEntries(vocab.map((token, id) => [token, id]));
  const unk = specialTokens[3];
  if (kind === 'word')
    return {
      type: 'WordPiece',
      unk_token: unk,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 1_000_000,
      vocab: ids,
    };
  return {
    type: 'BPE',
    dropout: null,
    unk_token: unk,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    vocab: ids,
    merges,
  };
}

/** Label of a token for display: its trimmed text, or its name in the vocabulary if it has no text. */
export function tokenLabel(tokenizer: Tokenizer, id: number): string {
  const { special } = tokenizer;
  const isSpecial = [special.pad, special.start, special.end, special.unknown].includes(id);
  const text = isSpecial ? '' : tokenizer.decode([id]);
  return text.trim() || tokenizer.token(id);
}
