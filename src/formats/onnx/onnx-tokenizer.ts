// The tokenizer.json of an exported model. transformers.js has one tokenizer for both sides, so two vocabularies become
// their union: the ids of the target, then the tokens that only the source has.

import type { Json } from '../../files/json-files.ts';
import { openSentencePiece } from '../../text/sentencepiece/processor.ts';
import { fromBase64, sentencePieceModelType, toBase64 } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import { SPACE_MARK } from '../../text/tokenizers/normalization.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/** An exported tokenizer. */
export interface OnnxTokenizer {
  /** tokenizer.json. */
  readonly json: Json;
  /** Names of the special tokens in it. */
  readonly special: { readonly pad: string; readonly start: string; readonly end: string; readonly unknown: string };
  /** Source id of each id, if the encoder's ids differ: tokens that only the target has are unknown. */
  readonly sourceIds?: readonly number[];
}

/** A target language of a multilingual MarianMT model, which a text may start with. */
const targetLanguage = /^>>[^<>\s]+<<$/;

/** Score of a Unigram piece that must never occur in a tokenized text. */
const never = -1e4;

/** Entry of a Unigram vocabulary for an id that the tokenizer has no token for. It adds nothing to a text. */
const unused = ['', never] as const;

/** Exports the tokenizers of both sides as one. */
export function onnxTokenizer(source: Tokenizer, target: Tokenizer): OnnxTokenizer {
  const ids = tokenIds(target);
  const sourceIdOf = tokenIds(source);
  let next = target.size;
  for (const token of sourceIdOf.keys()) if (!ids.has(token)) ids.set(token, next++);
  const same = source === target || [...ids].every(([token, id]) => sourceIdOf.get(token) === id);
  const sourceIds = Array.from({ length: next }, () => source.special.unknown);
  for (const [token, id] of ids) sourceIds[id] = sourceIdOf.get(token) ?? source.special.unknown;
  const { pad, start, end, unknown } = target.special;
  const [from, to] = [hfJson(source), hfJson(target)];
  const tokensOf = (some: readonly (number | undefined)[]) =>
    some.flatMap((id) => (id === undefined ? [] : [source.token(id)]));
  const before = tokensOf([source.begin]);
  const after = tokensOf([...(source.suffix ?? []), source.special.end]);
  const special = {
    pad: target.token(pad),
    start: target.token(start),
    end: target.token(end),
    unknown: target.token(unknown),
  };
  const own = from.added_tokens as readonly Json[];
  const roles = [...new Set([...Object.values(special), ...before, ...after])];
  // transformers.js finds added tokens inside words. Without a tokenizer, tokens are numbers: the end token 0 would split 10.
  const others = roles.filter((token) => !/^\d+$/.test(token) && !own.some(({ content }) => content === token));
  const added = [...own, ...others.map((token) => addedToken(token))];
  return {
    json: {
      ...from,
      added_tokens: added
        .map((token) => ({ ...token, id: ids.get(String(token.content)) ?? token.id }))
        .sort((a, b) => Number(a.id) - Number(b.id)),
      post_processor: frame(before, after, ids),
      decoder: to.decoder,
      model: same ? from.model : withVocabulary(from.model as Json, ids),
    },
    special,
    ...(!same && { sourceIds }),
  };
}

/** Ids by token, without those that the tokenizer has no token for. Of equal tokens the first one counts. */
function tokenIds(tokenizer: Tokenizer): Map<string, number> {
  const ids = new Map<string, number>();
  for (let id = 0; id < tokenizer.size; id++) {
    const token = tokenizer.token(id);
    if (!isUnused(token, id) && !ids.has(token)) ids.set(token, id);
  }
  return ids;
}

/** Whether a tokenizer has no token for an id: a model may have more ids than its tokenizer. */
const isUnused = (token: string, id: number): boolean => token === `[unused${id}]`;

/** A token that a text may spell out. Special ones are not in the text of a translation. */
const addedToken = (content: string, special = true, rstrip = false): Json => ({
  content,
  ...{ special, single_word: false, lstrip: false, rstrip, normalized: false },
});

/** The `model` of tokenizer.json with the token ids in `ids`. */
function withVocabulary(model: Json, ids: ReadonlyMap<string, number>): Json {
  if (model.type !== 'Unigram') return { ...model, vocab: Object.fromEntries(ids) };
  const known = model.vocab as readonly (readonly [string, number])[];
  const scores = new Map(known);
  const vocab: (readonly [string, number])[] = [];
  for (const [token, id] of ids) vocab[id] = [token, scores.get(token) ?? never];
  const unknown = known[model.unk_id as number]?.[0] ?? '';
  return { ...model, vocab: Array.from(vocab, (entry) => entry ?? unused), unk_id: ids.get(unknown) };
}

/** The post-processor that adds the tokens before and after a text. */
function frame(before: readonly string[], after: readonly string[], ids: ReadonlyMap<string, number>): Json {
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const tokens = [...before, ...after];
  return {
    type: 'TemplateProcessing',
    single: [...before.map(token), text('A'), ...after.map(token)],
    pair: [...before.map(token), text('A'), text('B'), ...after.map(token)],
    special_tokens: Object.fromEntries(tokens.map((id) => [id, { id, ids: [ids.get(id)], tokens: [id] }])),
  };
}

/** A tokenizer as the tokenizer.json that @huggingface/tokenizers reads. */
function hfJson(tokenizer: Tokenizer): Json {
  const { heddle: _, ...json } = tokenizer.toJSON() as unknown as Json;
  const model = json.model as Json;
  if (model.type === sentencePieceModelType) return { ...json, ...sentencePieceJson(tokenizer, model) };
  // A vocabulary by token may name the ids without a token.
  const vocab = Array.isArray(model.vocab)
    ? model.vocab
    : Object.fromEntries(Object.entries(model.vocab as Json).filter(([token, id]) => !isUnused(token, Number(id))));
  return { ...json, model: { ...model, vocab }, added_tokens: json.added_tokens ?? [] };
}

/** The components of a SentencePiece model: normalizer, pre-tokenizer, decoder, and a Unigram or BPE model. */
function sentencePieceJson(tokenizer: Tokenizer, saved: Json): Json {
  const { model } = openSentencePiece(fromBase64(String(saved.file), 'tokenizer.json'), 'tokenizer.json');
  const { normalizer } = model;
  const scores = new Map(model.pieces.filter(({ type }) => type !== 'control').map((p) => [p.text, p.score]));
  const tokens = Array.from({ length: tokenizer.size }, (_, id) => tokenizer.token(id));
  const ids = tokenIds(tokenizer);
  const {
    symbols = [],
    hidden = [],
    spaced = [],
    legacy = true,
  } = saved as Partial<Record<'symbols' | 'hidden' | 'spaced', readonly string[]> & { readonly legacy: boolean }>;
  const metaspace = {
    type: 'Metaspace',
    replacement: SPACE_MARK,
    prepend_scheme: !normalizer.addDummyPrefix ? 'never' : legacy ? 'always' : 'first',
    split: true,
  };
  const spaces = [
    { type: 'Strip', strip_left: true, strip_right: true },
    { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
  ];
  const charsmap = { type: 'Precompiled', precompiled_charsmap: toBase64(normalizer.charsmap) };
  const targets = tokens.filter((token) => targetLanguage.test(token));
  const controls = model.pieces.filter(({ type, text }) => type === 'control' && ids.has(text)).map(({ text }) => text);
  return {
    added_tokens: [
      ...[...new Set([...hidden, ...controls])].map((token) => addedToken(token)),
      ...symbols.map((token) => addedToken(token, false, !legacy && !spaced.includes(token))),
      ...targets.map((token) => addedToken(token, false)),
    ],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        ...(normalizer.charsmap.length > 0 ? [charsmap] : []),
        ...(normalizer.removeExtraWhitespaces ? spaces : []),
      ],
    },
    pre_tokenizer: metaspace,
    decoder: metaspace,
    model:
      model.algorithm === 'unigram'
        ? {
            type: 'Unigram',
            unk_id: tokenizer.special.unknown,
            vocab: tokens.map((token, id) => (isUnused(token, id) ? unused : [token, scores.get(token) ?? never])),
            byte_fallback: model.byteFallback,
          }
        : {
            ...{ type: 'BPE', dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null },
            unk_token: tokenizer.token(tokenizer.special.unknown),
            ...{ fuse_unk: true, byte_fallback: model.byteFallback, ignore_merges: false },
            vocab: Object.fromEntries(ids),
            merges: mergesOf(scores, ids),
          },
  };
}

/** The merges of a SentencePiece BPE model by score: a piece is the merge of each pair of pieces that forms it. */
function mergesOf(scores: ReadonlyMap<string, number>, ids: ReadonlyMap<string, number>): [string, string][] {
  const merges: { pair: [string, string]; score: number }[] = [];
  for (const [piece, score] of scores) {
    if (!ids.has(piece)) continue;
    const characters = [...piece];
    for (let i = 1; i < characters.length; i++) {
      const pair: [string, string] = [characters.slice(0, i).join(''), characters.slice(i).join('')];
      if (pair.every((part) => scores.has(part) && ids.has(part))) merges.push({ pair, score });
    }
  }
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair);
}
