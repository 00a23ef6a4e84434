// vocab.json and merges.txt, the byte-level BPE of GPT-2 as BART's folders have it, as the tokenizer.json that transformers makes of them
// (convert_slow_tokenizer.py, RobertaConverter). What they leave open stands in files beside them: special tokens, spaces, added tokens.

import { check } from '../../core/errors.ts';
import type { Json } from '../../core/records.ts';
import { parseJson } from '../../files/json-files.ts';
import { maxTokens } from '../../text/tokenizers/bpe-merges.ts';

/** Names of the files; the last three need not be there. */
export const byteLevelBpeFileNames = {
  vocab: 'vocab.json',
  merges: 'merges.txt',
  roles: 'special_tokens_map.json',
  config: 'tokenizer_config.json',
  added: 'added_tokens.json',
} as const;
const names = byteLevelBpeFileNames;

/** Classes of transformers whose vocab.json and merges.txt mean this. */
const classes = /^(Bart|Roberta|GPT2|LED|Longformer|Mvp)Tokenizer(Fast)?$/;

/** Special tokens where nobody names others, those of BartTokenizer. */
const usual = {
  bos_token: '<s>',
  eos_token: '</s>',
  sep_token: '</s>',
  cls_token: '<s>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
};

/**
 * The tokenizer.json that vocab.json and merges.txt stand for, from a folder's files by name; undefined without both. Throws a
 * HeddleError that names the file in `folder` and what is wrong: one that is broken, a merge of tokens that the vocabulary has not, or
 * a tokenizer_class that means something else by such files.
 */
export function byteLevelBpeJson(files: Readonly<Record<string, Uint8Array>>, folder: string): Json | undefined {
  const [vocabFile, mergesFile] = [files[names.vocab], files[names.merges]];
  if (!vocabFile || !mergesFile) return undefined;
  const read = (name: string): Json => (files[name] ? parseJson(files[name], `${folder}/${name}`) : {});
  const [vocab, config, added] = [read(names.vocab), read(names.config), read(names.added)];
  const { tokenizer_class: kind } = config;
  check(
    kind === undefined || kind === null || (typeof kind === 'string' && classes.test(kind)),
    () =>
      `${folder}/${names.config}: tokenizer_class is ${JSON.stringify(kind)}, which heddle reads from a tokenizer.json alone`,
  );
  const roles = { ...usual, ...textsOf(config), ...textsOf(read(names.roles)) };
  const ids = new Map(Object.entries({ ...vocab, ...added }));
  const special = new Set(Object.values(roles).filter((token) => ids.has(token)));
  const spaces = config.add_prefix_space === true;
  const framed = ids.has(roles.cls_token) && ids.has(roles.sep_token);
  return {
    version: '1.0',
    added_tokens: [...special, ...Object.keys(added).filter((token) => !special.has(token))].map((content) => ({
      id: ids.get(content),
      content,
      special: special.has(content),
      // The mask takes the space before it.
      ...{ single_word: false, lstrip: content === roles.mask_token, rstrip: false, normalized: !special.has(content) },
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: spaces, trim_offsets: true, use_regex: true },
    post_processor: framed
      ? {
          type: 'RobertaProcessing',
          sep: [roles.sep_token, ids.get(roles.sep_token)],
          cls: [roles.cls_token, ids.get(roles.cls_token)],
          ...{ trim_offsets: true, add_prefix_space: spaces },
        }
      : null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ...{ dropout: null, continuing_subword_prefix: '', end_of_word_suffix: '', fuse_unk: false },
      unk_token: Object.hasOwn(vocab, roles.unk_token) ? roles.unk_token : null,
      vocab,
      merges: readMerges(mergesFile, vocab, `${folder}/${names.merges}`),
    },
  };
}

/** The special tokens that a file names, by role: as text, or as an object with the text in it. */
function textsOf(file: Json): Partial<typeof usual> {
  const texts = Object.keys(usual).map((role) => {
    const value = file[role];
    const text = typeof value === 'object' && value !== null ? (value as Json).content : value;
    return [role, text] as const;
  });
  return Object.fromEntries(texts.filter(([, text]) => typeof text === 'string'));
}

/** Pairs of tokens, a line each, the first of them first; a line `#version` may stand before them. */
function readMerges(file: Uint8Array, vocab: Json, path: string): [string, string][] {
  const lines = new TextDecoder().decode(file).split(/\r?\n/);
  if (lines[0]?.startsWith('#version')) lines.shift();
  while (lines.at(-1) === '') lines.pop();
  check(lines.length <= maxTokens, `${path}: ${lines.length} merges, at most ${maxTokens} are read`);
  return lines.map((line, i) => {
    const pair = line.split(' ');
    const [a = '', b = ''] = pair;
    check(
      pair.length === 2,
      () => `${path}: merge ${i + 1} is ${JSON.stringify(line.slice(0, 80))}, it must be two tokens`,
    );
    for (const token of [a, b, a + b])
      check(
        Object.hasOwn(vocab, token),
        () => `${path}: merge ${i + 1} speaks of '${token}', which ${names.vocab} has not`,
      );
    return [a, b];
  });
}
