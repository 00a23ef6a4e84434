// Compares an exported tokenizer, as transformers.js reads it, with the tokenizers of a model.
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { exportTokenizer } from '../../src/formats/tokenizers/exported-tokenizer.ts';
import type { ModelConfig } from '../../src/model/model-config.ts';
import type { Tokenizer } from '../../src/text/tokenizers/tokenizer.ts';

/** The tokenizer of an export in transformers.js, and the source id of each of its ids. */
export function exportedTokenizer(source: Tokenizer, target: Tokenizer) {
  const { json, sourceIds } = exportTokenizer(source, target);
  // As it is read from the file.
  const library = new Library(JSON.parse(JSON.stringify(json)), { clean_up_tokenization_spaces: false });
  return { library, sourceId: (id: number) => sourceIds?.[id] ?? id };
}

/**
 * Returns the first five differences: in the source ids of a text, and in the text decoded from its target
 * ids. Leaves out intended differences: heddle does not translate a text without tokens, and writes sentinels
 * and masks with spaces around them; transformers.js drops unknown tokens, and a byte-order mark that is
 * decoded from bytes.
 */
export function compareTokenizers(
  source: Tokenizer,
  target: Tokenizer,
  { startId, endId, padId }: Pick<ModelConfig, 'startId' | 'endId' | 'padId'>,
  texts: readonly string[],
): string[] {
  const { library, sourceId } = exportedTokenizer(source, target);
  const out: string[] = [];
  const compare = (what: string, theirs: unknown, ours: unknown) => {
    if (JSON.stringify(theirs) !== JSON.stringify(ours))
      out.push(`${what}: ${JSON.stringify(theirs)} instead of ${JSON.stringify(ours)}`);
  };
  for (const text of texts) {
    const own = source.encode(text);
    const ids = [...own, source.special.end];
    if (own.length > 0) compare(JSON.stringify(text), library.encode(text).ids.map(sourceId), ids);
    const all = target.encode(text);
    if (all.includes(target.special.unknown) || /<(mask|extra_id)/.test(text)) continue;
    const decoded = library.decode([startId, ...all, endId, padId], { skip_special_tokens: true });
    const plain = (some: string) => some.replaceAll('\ufeff', '').trim();
    compare(`the text of ${all}`, plain(decoded), plain(target.decode(all)));
  }
  return out.slice(0, 5);
}
