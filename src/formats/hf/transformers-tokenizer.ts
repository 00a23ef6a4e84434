// The tokenizer files of a model for transformers: a tokenizer.json whose post-processor adds the end token, as
// heddle does, or the SentencePiece models and vocab.json of MarianMT.

import { HeddleError } from '../../core/errors.ts';
import { listed, type Message, msg } from '../../core/message.ts';
import { type Json, jsonBytes, withoutUndefined } from '../../files/json-files.ts';
import { openSentencePiece } from '../../text/sentencepiece/processor.ts';
import { fromBase64, sentencePieceModelType } from '../../text/sentencepiece/sentencepiece-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import type { SavedModel } from '../shared/saved-model.ts';
import { withByteLetters } from '../tokenizers/byte-letters.ts';
import { exportTokenizer, templateProcessing } from '../tokenizers/exported-tokenizer.ts';
import { replace } from '../tokenizers/sentencepiece-normalizers.ts';

/**
 * The tokenizer files by name. Throws a HeddleError if the family has no tokenizer for the two vocabularies of a
 * model.
 */
export function transformersTokenizer(
  { source, target, config }: Pick<SavedModel, 'source' | 'target' | 'config'>,
  type: string,
): Record<string, Uint8Array> {
  const [from, to] = [source, target].map(sentencePieceIn);
  if (type === 'marian' && from && to)
    return withoutUndefined({
      // transformers reads the other files, transformers.js this one.
      'tokenizer.json': source === target ? jsonBytes(plainNames(source)) : undefined,
      'source.spm': from.file,
      'target.spm': to.file,
      'vocab.json': jsonBytes(from.ids),
      'target_vocab.json': source === target ? undefined : jsonBytes(to.ids),
      'tokenizer_config.json': jsonBytes({
        tokenizer_class: 'MarianTokenizer',
        separate_vocabs: source !== target,
        model_max_length: config.maxLength,
        clean_up_tokenization_spaces: false,
        ...rolesOf(target, (id) => target.token(id)),
        bos_token: undefined,
      }),
    });
  if (source !== target)
    throw new HeddleError(
      'transformers has no tokenizer with two vocabularies of this kind; train with one for both sides (tie: all), or with SentencePiece models',
      { area: type },
    );
  const { json, name } = sharedTokenizer(source);
  return {
    'tokenizer.json': jsonBytes(json),
    'tokenizer_config.json': jsonBytes({
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: config.maxLength,
      clean_up_tokenization_spaces: false,
      ...rolesOf(target, name),
    }),
  };
}

/** The special tokens under the names of tokenizer_config.json. */
const rolesOf = ({ special }: Tokenizer, name: (id: number) => string): Json => ({
  pad_token: name(special.pad),
  bos_token: name(special.start),
  eos_token: name(special.end),
  unk_token: name(special.unknown),
});

/** tokenizer.json of a tokenizer whose special tokens have the names of its vocabulary. */
function plainNames(tokenizer: Tokenizer): Json {
  const { json, name } = sharedTokenizer(tokenizer);
  const { pad, start, end, unknown } = tokenizer.special;
  const names = new Map([pad, start, end, unknown].map((id) => [name(id), tokenizer.token(id)]));
  const named = (_: string, x: unknown) => (typeof x === 'string' ? (names.get(x) ?? x) : x);
  return JSON.parse(JSON.stringify(json, named));
}

/** What is not the same in transformers for texts with symbols of a tokenizer that heddle trained, if it has some. */
export function symbolDifference({ modelFile, special, toJSON }: Tokenizer): Message | undefined {
  const added = modelFile ? (toJSON().added_tokens as readonly { id: number; content: string }[]) : [];
  const names = added.filter(({ id }) => !Object.values(special).includes(id)).map(({ content }) => content);
  return names.length > 0
    ? msg`transformers splits texts at ${listed(names)} before it tokenizes them: texts with these symbols have other ids than in heddle`
    : undefined;
}

/** tokenizer.json of a tokenizer, and the names of its tokens in it. */
function sharedTokenizer(tokenizer: Tokenizer): { json: Json; name: (id: number) => string } {
  const { kind, special, modelFile } = tokenizer;
  const token = (id: number) => tokenizer.token(id);
  if (kind === 'huggingface' || (kind === 'sentencepiece' && !modelFile)) {
    const { json, special: names } = exportTokenizer(tokenizer, tokenizer);
    const byId = new Map(
      (['pad', 'start', 'end', 'unknown'] as const).map((role) => [special[role], names[role]]),
    );
    return { json, name: (id) => byId.get(id) ?? token(id) };
  }
  const end = token(special.end);
  const template = templateProcessing([], [end], new Map([[end, special.end]]));
  return {
    json: { ...withByteLetters(withCaseFolding(tokenizer)), post_processor: template },
    name: token,
  };
}

/**
 * The tokenizer.json with the case folding of a SentencePiece model after its `Precompiled` rules, of which
 * transformers.js has an approximation that folds no case. In JavaScript a Σ at the end of a word would become ς.
 */
function withCaseFolding({ modelFile, toJSON }: Tokenizer): Json {
  const json = toJSON() as unknown as Json;
  if (!modelFile || openSentencePiece(modelFile, 'tokenizer.json').normalize('A').includes('A')) return json;
  const [precompiled, ...spaces] = (json.normalizer as { normalizers: readonly Json[] }).normalizers;
  const folding = [replace('Σ', 'σ'), { type: 'Lowercase' }];
  return { ...json, normalizer: { type: 'Sequence', normalizers: [precompiled, ...folding, ...spaces] } };
}

/** The SentencePiece model of a tokenizer and its ids by piece; undefined if it is of another kind. */
function sentencePieceIn(
  tokenizer: Tokenizer,
): { readonly file: Uint8Array; readonly ids: Readonly<Record<string, number>> } | undefined {
  const model = tokenizer.toJSON().model as Json;
  const isEmbedded = model.type === sentencePieceModelType;
  const file = isEmbedded ? fromBase64(String(model.file), 'tokenizer.json') : tokenizer.modelFile;
  if (!file) return undefined;
  const ids: Record<string, number> = {};
  for (let id = 0; id < tokenizer.size; id++) ids[tokenizer.token(id)] ??= id;
  return { file, ids };
}
