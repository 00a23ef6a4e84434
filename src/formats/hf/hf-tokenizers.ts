// The tokenizers of a BART or MarianMT folder: two alphabets in its configuration, the files of Hugging Face's libraries, or none,
// and then texts are ids.

import { HeddleError, withErrorPrefix } from '../../core/errors.ts';
import type { Json } from '../../core/records.ts';
import { parseJson } from '../../files/json-files.ts';
import { modelFileNames } from '../../files/model-file.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { loadTokenizer } from '../../text/load-tokenizer.ts';
import { createCharacterTokenizer, createIdTokenizer } from '../../text/tokenizers/character-tokenizer.ts';
import type { SpecialIds, Tokenizer } from '../../text/tokenizers/tokenizer.ts';
import { readTokenizerFiles } from '../tokenizers/tokenizer-files.ts';

/** Files that a tokenizer is read from, or that go with one. */
export const hfTokenizerFileNames = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['source.spm', 'target.spm', 'vocab.json', 'target_vocab.json', 'merges.txt'],
  ...[modelFileNames.source, modelFileNames.target],
] as const;

/** The tokenizers of both sides; the same object where they share one. */
export interface Tokenizers {
  readonly source: Tokenizer;
  readonly target: Tokenizer;
  /** What a user should know of them. */
  readonly notes: readonly string[];
}

/** The tokenizers of a configuration and files by name. Throws a HeddleError, with `folder` in it, for those that cannot be read. */
export function readHfTokenizers(
  raw: Json,
  c: ModelConfig,
  files: Readonly<Record<string, Uint8Array>>,
  folder: string,
): Tokenizers {
  const unknown = typeof raw.unk_token_id === 'number' ? raw.unk_token_id : undefined;
  const base = { pad: c.padId, start: c.startId, end: c.endId };
  const special: SpecialIds = { ...base, unknown: unknown ?? 3 };
  if (raw.grapheme_chars !== undefined || raw.phoneme_chars !== undefined)
    return { ...readAlphabets(raw, c, special, folder), notes: [] };
  const own = readOwn(files, c, folder);
  if (own) return { ...own, notes: [] };
  const facts = {
    special: { ...base, ...(unknown !== undefined && { unknown }) },
    srcVocab: c.srcVocab,
    tgtVocab: c.tgtVocab,
  };
  const read = readTokenizerFiles(files, facts, folder);
  if (read) {
    const begin = read.json && beginOf(read.json);
    const source = begin === undefined ? read.source : beginning(read.source, begin);
    return { source, target: read.target === read.source ? source : read.target, notes: [] };
  }
  if (files['vocab.json'])
    throw new HeddleError(
      `${folder}/vocab.json: a vocabulary alone is no tokenizer; a tokenizer.json, a merges.txt, or source.spm and target.spm must be beside it`,
    );
  const source = createIdTokenizer(c.srcVocab, special);
  const target = c.tie === 'all' ? source : createIdTokenizer(c.tgtVocab, special);
  return { source, target, notes: [`${folder}: there is no tokenizer; texts are token ids separated by spaces`] };
}

/** The tokenizers that heddle made itself, for a model that went out from here; undefined where the files are others. */
function readOwn(files: Readonly<Record<string, Uint8Array>>, c: ModelConfig, folder: string) {
  const read = (name: string, size: number): Tokenizer | undefined => {
    const file = files[name];
    if (!file) return undefined;
    const path = `${folder}/${name}`;
    let tokenizer: Tokenizer;
    try {
      tokenizer = loadTokenizer(parseJson(file, path));
    } catch (error) {
      if (error instanceof HeddleError && name === modelFileNames.tokenizer) return undefined; // made elsewhere, or broken
      throw error;
    }
    if (tokenizer.size !== size) throw new HeddleError(`${path}: it has ${tokenizer.size} tokens, the model ${size}`);
    return tokenizer;
  };
  const [source, target] = [read(modelFileNames.source, c.srcVocab), read(modelFileNames.target, c.tgtVocab)];
  if (source && target) return { source, target };
  const both = c.srcVocab === c.tgtVocab ? read(modelFileNames.tokenizer, c.srcVocab) : undefined;
  return both && { source: both, target: both };
}

/** The id that a tokenizer.json's post-processor puts before a text; undefined where it puts nothing there. */
function beginOf(file: Json): number | undefined {
  const idOf = (processor: unknown): number | undefined => {
    const { type, cls, processors, single, special_tokens } = Object(processor) as Json;
    if (type === 'Sequence' && Array.isArray(processors)) return processors.map(idOf).find((id) => id !== undefined);
    if (type === 'RobertaProcessing' || type === 'BertProcessing') return Object(cls)[1];
    const first =
      type === 'TemplateProcessing' && Array.isArray(single) ? Object(single[0]).SpecialToken?.id : undefined;
    return first === undefined ? undefined : Object(special_tokens)[first]?.ids?.[0];
  };
  const id = idOf(file.post_processor);
  return Number.isSafeInteger(id) ? id : undefined;
}

/** A tokenizer whose texts begin with an id, which says nothing. */
function beginning(tokenizer: Tokenizer, begin: number): Tokenizer {
  return {
    ...tokenizer,
    encode(text) {
      const ids = tokenizer.encode(text);
      return ids.length > 0 ? [begin, ...ids] : ids;
    },
    decode: (ids) => tokenizer.decode([...ids].filter((id) => id !== begin)),
  };
}

/** grapheme_chars and phoneme_chars: character i of each is the token i; texts begin with bos_token_id on both sides. */
function readAlphabets(raw: Json, c: ModelConfig, special: SpecialIds, folder: string) {
  const read = (field: string, size: number): Tokenizer => {
    const characters = raw[field];
    if (typeof characters !== 'string')
      throw new HeddleError(
        `${folder}/config.json: ${field} is ${JSON.stringify(characters)}, it must be a text of characters`,
      );
    const begin = raw.bos_token_id;
    return withErrorPrefix(`${folder}/config.json: ${field}`, () =>
      createCharacterTokenizer({ characters, size, special, ...(typeof begin === 'number' && { begin }) }),
    );
  };
  return { source: read('grapheme_chars', c.srcVocab), target: read('phoneme_chars', c.tgtVocab) };
}
