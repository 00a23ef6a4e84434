// The YAML of Marian's model.yml and decoder.yml: keys with scalars or lists of scalars.

import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';

/** A scalar: a number or truth value if the text is one, else the text. */
export type YamlScalar = string | number | boolean;
/** Keys with their values. */
export type Yaml = Readonly<Record<string, YamlScalar | readonly YamlScalar[]>>;

const maxText = 2 ** 22;

/** Reads a file. Throws a HeddleError with `name` and the line that is not understood. */
export function parseYaml(text: string, name: string): Yaml {
  if (text.length > maxText)
    throw new HeddleError(msg`${text.length} characters are too many`, { area: name });
  const out: Record<string, YamlScalar | YamlScalar[]> = Object.create(null);
  let open: string | undefined; // the key whose list may follow
  for (const [i, whole] of text.split(/\r?\n/).entries()) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#') || line === '---' || line === '...') continue;
    const fail = (reason: string): never => {
      throw new HeddleError(msg`line ${i + 1}: ${reason}: "${line.slice(0, 60)}"`, { area: name });
    };
    const indented = /^\s/.test(whole);
    if (line === '-' || line.startsWith('- ')) {
      if (open === undefined) return fail('a list without a key');
      const list = out[open];
      if (!Array.isArray(list)) out[open] = [scalarOf(line.slice(2))];
      else list.push(scalarOf(line.slice(2)));
      continue;
    }
    if (indented) {
      if (open === undefined || out[open] !== '') return fail('only lists may be indented');
      out[open] = readValue(line) ?? fail('not a list');
      open = undefined;
      continue;
    }
    const at = line.indexOf(':');
    const key = line.slice(0, at);
    if (at < 1 || !/^(?:\s|$)/.test(line.slice(at + 1))) return fail('not a key and its value');
    if (key in out) return fail('the key is there twice');
    const rest = line.slice(at + 1).trim();
    open = rest === '' ? key : undefined;
    out[key] = rest === '' ? '' : (readValue(rest) ?? fail('not a value'));
  }
  return out;
}

/** A scalar or a list in brackets; undefined if it is neither. */
function readValue(text: string): YamlScalar | YamlScalar[] | undefined {
  if (!text.startsWith('[')) return /^[{&*!|>]/.test(text) ? undefined : scalarOf(text);
  if (!text.endsWith(']')) return undefined;
  const inside = text.slice(1, -1).trim();
  return inside === '' ? [] : inside.split(',').map(scalarOf);
}

function scalarOf(given: string): YamlScalar {
  const text = given.trim();
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === '~' || text === 'null') return '';
  const quoted = /^"(.*)"$/.exec(text) ?? /^'(.*)'$/.exec(text);
  if (quoted) return quoted[1] ?? '';
  const plain = text.replace(/\s+#.*$/, '');
  return plain !== '' && Number.isFinite(Number(plain)) ? Number(plain) : plain;
}
