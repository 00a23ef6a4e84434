// Tokenizer files of heddle's format: tokenizer.json for both sides, or source-tokenizer.json and
// target-tokenizer.json.

import { HeddleError, withArea } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import type { Files } from '../../files/files.ts';
import { readJson } from '../../files/json-files.ts';
import { modelFileNames as names } from '../../files/model-file.ts';
import { requireFile } from '../../files/require-file.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { tokenizerReader } from '../../text/open-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizers/tokenizer.ts';

/**
 * Loads the tokenizers of both sides, one object if they share a file. Throws a HeddleError that names the
 * file if it is missing, invalid or does not match the configuration.
 */
export async function readTokenizers(
  files: Files,
  folder: string,
  config: ModelConfig,
): Promise<{ source: Tokenizer; target: Tokenizer }> {
  const load = async (name: string, side: 'source' | 'target'): Promise<Tokenizer> => {
    await requireFile(files, folder, name);
    const path = `${folder}/${name}`;
    const json = await readJson(files, path);
    const read = await tokenizerReader(json);
    const tokenizer = withArea(path, read);
    checkTokenizer(path, tokenizer, config, side);
    return tokenizer;
  };
  if (await files.exists(`${folder}/${names.source}`))
    return { source: await load(names.source, 'source'), target: await load(names.target, 'target') };
  const both = await load(names.tokenizer, 'source');
  checkTokenizer(`${folder}/${names.tokenizer}`, both, config, 'target');
  return { source: both, target: both };
}

function checkTokenizer(
  path: string,
  { size, special }: Tokenizer,
  c: ModelConfig,
  side: 'source' | 'target',
): void {
  const field = side === 'source' ? 'srcVocab' : 'tgtVocab';
  const facts: [string, number, string, number][] = [['tokens', size, field, c[field]]];
  facts.push(['the padding id', special.pad, 'padId', c.padId]);
  if (side === 'target')
    facts.push(
      ['the start id', special.start, 'startId', c.startId],
      ['the end id', special.end, 'endId', c.endId],
    );
  for (const [difference, has, name, wants] of facts)
    if (has !== wants)
      throw new HeddleError(
        msg`${path} does not match ${names.config}: ${difference}: ${has}, ${name}: ${wants}`,
      );
}
