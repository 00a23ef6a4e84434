// The tokenizer.json of an exported model. transformers.js has one tokenizer for both sides, so two
// vocabularies become their union: the ids of the target, then the tokens that only the source has.

import type { Json } from '../../files/json-files.ts';
import { specialFields, type Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import {
  missingPieces,
  savedSentencePiece,
  sentencePieceDecoder,
  sentencePieceJson,
  silentTokens,
  type TokenizerComponents,
} from './sentencepiece-json.ts';

/**
 * Prefix of special tokens that a text must not match: a noncharacter, which Unicode reserves for internal
 * use.
 */
const SPECIAL_MARK = '\ufdd0';

/** An exported tokenizer. */
export interface ExportedTokenizer {
  /** tokenizer.json. */
  readonly json: Json;
  /** Names of the special tokens in it. */
  readonly special: {
    readonly pad: string;
    readonly start: string;
    readonly end: string;
    readonly unknown: string;
  };
  /**
   * Source id of each id, if the encoder's ids differ. Tokens that only the target has map to the unknown
   * token.
   */
  readonly sourceIds?: readonly number[];
  /** Differences in how transformers.js treats some texts. */
  readonly differences: readonly string[];
}

/** Exports the tokenizers of both sides as one. */
export function exportTokenizer(source: Tokenizer, target: Tokenizer): ExportedTokenizer {
  const ids = tokenIds(target);
  // A padding token that the model added has no name of its own.
  for (const id of Object.values(target.special))
    if (!ids.has(target.token(id))) ids.set(target.token(id), id);
  const sourceIdOf = tokenIds(source);
  let next = target.size;
  for (const token of sourceIdOf.keys()) if (!ids.has(token)) ids.set(token, next++);
  const from = savedSentencePiece(source);
  const to = target === source ? from : savedSentencePiece(target);
  const missing = new Map(from ? missingPieces(source, from).map((token) => [token, next++]) : []);
  const same = next === target.size && [...ids].every(([token, id]) => sourceIdOf.get(token) === id);
  const sourceIds = Array.from({ length: next }, () => source.special.unknown);
  for (const [token, id] of ids) sourceIds[id] = sourceIdOf.get(token) ?? source.special.unknown;

  const before = source.begin === undefined ? [] : [source.token(source.begin)];
  const after = [...(source.suffix ?? []), source.special.end].map((id) => source.token(id));
  const silent = new Set([
    ...Object.values(target.special).map((id) => target.token(id)),
    ...before,
    ...after,
    ...[from, to].flatMap((saved) => (saved ? silentTokens(saved).filter((token) => ids.has(token)) : [])),
  ]);
  const { json, nameOf, differences } = from
    ? sentencePieceJson(source, from, ids, missing)
    : plainJson(source, ids, silent, same);
  const idOf = new Map([...ids].map(([token, id]) => [nameOf(token), id]));
  const own = json.added_tokens as readonly Json[];
  const listed = new Set(own.map(({ content }) => content));
  const others = [...silent].map(nameOf).filter((name) => !listed.has(name));
  const { pad, start, end, unknown } = target.special;
  const name = (id: number) => nameOf(target.token(id));
  return {
    json: {
      ...json,
      added_tokens: [...own, ...others.map(specialToken)]
        .map((token) => ({ ...token, id: idOf.get(String(token.content)) ?? token.id }))
        .sort((a, b) => Number(a.id) - Number(b.id)),
      post_processor: templateProcessing(before.map(nameOf), after.map(nameOf), idOf),
      decoder: to ? sentencePieceDecoder(from, to) : target.toJSON().decoder,
    },
    special: { pad: name(pad), start: name(start), end: name(end), unknown: name(unknown) },
    differences,
    sourceIds: same ? undefined : sourceIds,
  };
}

/** Ids by token, without unused ids. If two ids have the same token, the first one counts. */
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

/** An added token that decoding skips. */
const specialToken = (content: string): Json => ({ content, ...specialFields });

/** The post-processor of tokenizer.json that adds the tokens before and after a text. */
export function templateProcessing(
  before: readonly string[],
  after: readonly string[],
  ids: ReadonlyMap<string, number>,
): Json {
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

/**
 * The components of a tokenizer without a SentencePiece model. transformers.js matches added tokens in every
 * text, so the `silent` tokens have names that no text contains. If a loaded tokenizer.json matches such a
 * token in texts, the match is encoded as the unknown token.
 */
function plainJson(
  tokenizer: Tokenizer,
  ids: ReadonlyMap<string, number>,
  silent: ReadonlySet<string>,
  same: boolean,
): TokenizerComponents {
  const { heddle: _, ...json } = tokenizer.toJSON() as unknown as Json;
  const model = json.model as Json;
  const { pad, start, end, unknown } = tokenizer.special;
  const isLoaded = tokenizer.kind === 'huggingface';
  const hidden = isLoaded ? new Set([pad, start, end].map((id) => tokenizer.token(id))) : silent;
  const added = isLoaded ? (json.added_tokens as readonly Json[]) : [];
  // A vocabulary that is a map can have names for unused ids, such as `[unused7]`.
  const isNamed = ([token, id]: [string, unknown]) => !isUnused(token, Number(id));
  const vocab = Array.isArray(model.vocab)
    ? model.vocab
    : Object.fromEntries(same ? Object.entries(model.vocab as Json).filter(isNamed) : ids);
  return {
    nameOf: (token) => (hidden.has(token) ? SPECIAL_MARK + token : token),
    differences: [],
    json: {
      ...json,
      model: { ...model, vocab },
      added_tokens: added.map((token) =>
        hidden.has(String(token.content)) ? { ...token, id: unknown } : token,
      ),
    },
  };
}
