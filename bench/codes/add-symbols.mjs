// Gives the rarest pieces of a model's unigram vocabulary other names: placeholders of codes and marks of terms, so
// that the model can be fine-tuned with `--augment placeholders` or `--augment terms`.
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Copies a model.safetensors of heddle with changed names of tokens; pieces of one or two characters keep theirs.
 * Returns the pieces that were replaced. Throws if the tokenizer is not a unigram model, or has too few pieces.
 */
export function addSymbols(from, to, symbols) {
  const file = readFileSync(from);
  const size = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + size).toString());
  const { __metadata__: metadata } = header;
  const tokenizer = JSON.parse(metadata['tokenizer.json']);
  const { type, vocab } = tokenizer.model;
  if (type !== 'Unigram') throw new Error(`${from}: the tokenizer is ${type}; a unigram model is needed`);
  const known = new Set(vocab.map(([piece]) => piece));
  const special = new Set(tokenizer.added_tokens.map(({ id }) => id));
  const rarest = [...vocab.keys()]
    .filter((id) => !special.has(id) && [...vocab[id][0].replace('▁', '')].length > 2)
    .filter((id) => !/^<0x/.test(vocab[id][0]))
    .sort((a, b) => vocab[a][1] - vocab[b][1]);
  const replaced = [];
  for (const symbol of symbols.filter((one) => !known.has(one))) {
    const id = rarest[replaced.length];
    if (id === undefined) throw new Error(`${from}: the vocabulary has too few pieces`);
    replaced.push(vocab[id][0]);
    vocab[id] = [symbol, 0];
    const content = { content: symbol, special: false, single_word: false };
    tokenizer.added_tokens.push({ id, ...content, lstrip: false, rstrip: false, normalized: false });
  }
  metadata['tokenizer.json'] = JSON.stringify(tokenizer);
  const json = Buffer.from(JSON.stringify(header));
  // Tensors begin at a multiple of 8 bytes.
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(to, Buffer.concat([length, padded, file.subarray(8 + size)]));
  return replaced;
}
