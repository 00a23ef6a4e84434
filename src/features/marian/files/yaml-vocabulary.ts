// Vocabularies of Marian as YAML, which the first models of OPUS-MT have: a token and its id per line, as
// marian-vocab writes them, or the same as JSON. SentencePiece models split texts into these tokens.

import { check, HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { parseJson } from '../../../files/json-files.ts';
import { keysOf } from './marian-yaml.ts';

/** Maximum size of a file. */
const maxBytes = 2 ** 26;

/** Whether a file is such a vocabulary by its name. */
export const isYamlVocabulary = (name: string): boolean => /\.(?:ya?ml|json)(?:\.gz)?$/.test(name);

/**
 * The ids of the tokens of a vocabulary. Throws a HeddleError that names `path`, and the line or the token that is not
 * understood.
 */
export function parseYamlVocabulary(bytes: Uint8Array, path: string): Record<string, number> {
  if (bytes.length > maxBytes) throw new HeddleError(msg`${bytes.length} bytes are too many`, { area: path });
  const text = new TextDecoder().decode(bytes);
  if (text.trimStart().startsWith('{')) return parseJson(bytes, path) as Record<string, number>;
  const out: Record<string, number> = Object.create(null);
  for (const [token, id] of Object.entries(keysOf(text, path, { onlyTexts: true }))) {
    check(/^\d+$/.test(String(id)), () => msg`the token ${token} has no id`, { area: path });
    out[token] = Number(id);
  }
  return out;
}
