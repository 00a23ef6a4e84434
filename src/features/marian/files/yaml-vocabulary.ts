// Vocabularies of Marian as YAML, which the first models of OPUS-MT have: a token and its id per line, as
// marian-vocab writes them, or the same as JSON. SentencePiece models split texts into these tokens.

import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { parseJson } from '../../../files/json-files.ts';

/** Maximum size of a file. */
const maxBytes = 2 ** 26;

/** The escapes of YAML with one letter. */
const escapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

/** Whether a file is such a vocabulary by its name. */
export const isYamlVocabulary = (name: string): boolean => /\.(?:ya?ml|json)(?:\.gz)?$/.test(name);

/**
 * The ids of the tokens of a vocabulary. Throws a HeddleError that names `path`, and the line that is not a token
 * and its id.
 */
export function parseYamlVocabulary(bytes: Uint8Array, path: string): Record<string, number> {
  if (bytes.length > maxBytes) throw new HeddleError(msg`${bytes.length} bytes are too many`, { area: path });
  const text = new TextDecoder().decode(bytes);
  if (text.trimStart().startsWith('{')) return parseJson(bytes, path) as Record<string, number>;
  const out: Record<string, number> = Object.create(null);
  let long: string | undefined; // the token of a line `? token`, whose id is on the next line
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('# ') || line === '---' || line === '...') continue;
    const fail = (reason: string): never => {
      throw new HeddleError(msg`line ${i + 1}: ${reason}: "${line.slice(0, 60)}"`, { area: path });
    };
    if (line.startsWith('? ')) {
      long = line.slice(2).trim();
      continue;
    }
    const [, key = '', id = ''] =
      /^(.*):\s+(\d+)\s*$/.exec(line) ?? fail('not a token and its id, such as "the": 5');
    const token = unquoted((long ?? key).trim()) ?? fail('a token with an invalid escape');
    if (Object.hasOwn(out, token)) fail('the token is there twice');
    out[token] = Number(id);
    long = undefined;
  }
  return out;
}

/** The text of a scalar; undefined if an escape is invalid. */
function unquoted(scalar: string): string | undefined {
  if (/^'.*'$/s.test(scalar)) return scalar.slice(1, -1).replaceAll("''", "'");
  if (!/^".*"$/s.test(scalar)) return scalar;
  let isValid = true;
  const text = scalar
    .slice(1, -1)
    .replace(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.?))/gs, (_, x, u, long, letter) => {
      const code = x ?? u ?? long;
      const char =
        code === undefined
          ? escapes[letter]
          : Number.parseInt(code, 16) < 0x110000
            ? String.fromCodePoint(Number.parseInt(code, 16))
            : undefined;
      if (char === undefined) isValid = false;
      return char ?? '';
    });
  return isValid ? text : undefined;
}
