// Text to token ids and back, behind one interface for words, characters and byte pairs, and its form as Hugging Face's
// tokenizer.json. Learning a vocabulary is in words.ts, characters.ts and bpe.ts; reading one back in load-tokenizer.ts.
import { check } from '../../core/errors.ts';
import { applyMerges, pairOf } from './bpe-merges.ts';
import {
  createPreTokenizer,
  createTextNormalizer,
  decoderJson,
  normalizerJson,
  preTokenizerJson,
  SPACE_MARK,
  type TextRules,
} from './normalization.ts';

/** What a token stands for, in tokenizers that are learned here. */
export type TokenizerKind = 'word' | 'char' | 'bpe';

/** The ids of the tokens that are not text. */
export interface SpecialIds {
  readonly pad: number;
  readonly start: number;
  readonly end: number;
  readonly unknown: number;
}

/** The special tokens as written, in the order of their ids in a new vocabulary: 0, 1, 2, 3. */
export const specialTokens = ['[PAD]', '[start]', '[end]', '[UNK]'] as const;

/** Text to ids and back. */
export interface Tokenizer {
  /** `sentencepiece` and `huggingface`: made elsewhere, and read by piece-tokenizer.ts and foreign-tokenizer.ts. */
  readonly kind: TokenizerKind | 'sentencepiece' | 'huggingface';
  /** Number of tokens; ids are below it. */
  readonly size: number;
  readonly special: SpecialIds;
  /** The ids of a text, with no start or end; what the vocabulary lacks is `special.unknown`. A text is never read as a special token. */
  encode(text: string): number[];
  /** The text of ids without padding, start and end; [UNK] where unknown. Throws a HeddleError for an id outside the vocabulary. */
  decode(ids: Iterable<number>): string;
  /** The normal form of a text: what `decode(encode(text))` gives where nothing is unknown. */
  normalize(text: string): string;
  /** The token of an id as it stands in the vocabulary. Throws a HeddleError for an id outside it. */
  token(id: number): string;
  /** The tokenizer as Hugging Face's tokenizer.json, to be written with JSON.stringify. */
  toJSON(): TokenizerJson;
}

/** The parts of a tokenizer.json that heddle writes; files from elsewhere may have more. */
export interface TokenizerJson {
  readonly version: string;
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer: unknown;
  readonly pre_tokenizer: unknown;
  readonly post_processor: null;
  readonly decoder: unknown;
  readonly model: unknown;
}

/** A special token in tokenizer.json. */
interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: true;
  readonly single_word: false;
  readonly lstrip: false;
  readonly rstrip: false;
  readonly normalized: false;
}

/** All that a tokenizer is: its rules, its tokens by id, and for byte pairs the merges in order. */
export interface TokenizerParts {
  readonly kind: TokenizerKind;
  readonly rules: TextRules;
  readonly vocab: readonly string[];
  readonly merges?: readonly (readonly [string, string])[];
}

/** Words kept with their ids; the cache starts anew when it is full. */
const cacheSize = 200_000;

/** A tokenizer of its parts. Throws a HeddleError where a special token or a merge's tokens are not in the vocabulary. */
export function createTokenizer(parts: TokenizerParts): Tokenizer {
  const { kind, rules, vocab, merges = [] } = parts;
  const idOf = new Map(vocab.map((token, id) => [token, id]));
  const need = (token: string): number => {
    const id = idOf.get(token);
    check(id !== undefined, `tokenizer: the vocabulary of ${vocab.length} tokens lacks '${token}'`);
    return id;
  };
  const [pad, start, end, unknown] = specialTokens.map(need) as [number, number, number, number];
  const table = new Map(merges.map(([a, b], rank) => [pairOf(need(a), need(b)), { rank, id: need(a + b) }]));
  const normalize = createTextNormalizer(rules);
  const cut = createPreTokenizer(rules);
  const silent = new Set([pad, start, end]);
  const textId = (text: string): number => {
    const id = idOf.get(text);
    return id === undefined || id === pad || id === start || id === end ? unknown : id;
  };

  const wordIds = (word: string): number[] =>
    kind === 'word'
      ? cut(word).map(textId)
      : cut(word).flatMap((piece) => applyMerges(Array.from(piece, textId), table));
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
    const text = vocab[id];
    check(text !== undefined, `tokenizer: no token has the id ${id}; ids go from 0 to ${vocab.length - 1}`);
    return text;
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
    decode(ids) {
      let out = '';
      for (const id of ids) {
        const text = token(id);
        if (!silent.has(id)) out += id === unknown && kind === 'word' ? SPACE_MARK + text : text;
      }
      if (kind === 'char') return out;
      return out.replaceAll(SPACE_MARK, ' ').replace(/^ /, '');
    },
    toJSON: () => ({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specialTokens.map((content) => addedToken(need(content), content)).sort((a, b) => a.id - b.id),
      normalizer: normalizerJson(rules),
      pre_tokenizer: preTokenizerJson(rules),
      post_processor: null,
      decoder: decoderJson(rules),
      model: modelJson(parts),
    }),
  };
}

const addedToken = (id: number, content: string): AddedToken => ({
  id,
  content,
  special: true,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
});

/**
 * The `model` of tokenizer.json. Words are a WordPiece model without any continuation piece, which gives a word or [UNK] and nothing
 * else: @huggingface/tokenizers has no WordLevel model that knows the unknown token.
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

/** The text of an id, without spaces around it; its name in the vocabulary where it stands for none. */
export function tokenLabel(tokenizer: Tokenizer, id: number): string {
  const { special } = tokenizer;
  const isSpecial = [special.pad, special.start, special.end, special.unknown].includes(id);
  const text = isSpecial ? '' : tokenizer.decode([id]);
  return text.trim() || tokenizer.token(id);
}
