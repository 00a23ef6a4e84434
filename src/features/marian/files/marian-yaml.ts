// The YAML of Marian's model.yml and decoder.yml, keys with scalars or lists of scalars, and of vocabularies, keys with
// ids.

import { CORE_SCHEMA, FAILSAFE_SCHEMA, load, YAMLException } from 'js-yaml';
import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { isObject, type Json } from '../../../files/json-files.ts';

/** A scalar: a number or truth value if the text is one, else the text. */
export type YamlScalar = string | number | boolean;
/** Keys with their values. */
export type Yaml = Readonly<Record<string, YamlScalar | readonly YamlScalar[]>>;

const maxText = 2 ** 22;

/** Reads a file. Throws a HeddleError with `name` and the line or the key that is not understood. */
export function parseYaml(text: string, name: string): Yaml {
  if (text.length > maxText)
    throw new HeddleError(msg`${text.length} characters are too many`, { area: name });
  const out: Record<string, YamlScalar | YamlScalar[]> = Object.create(null);
  for (const [key, given] of Object.entries(keysOf(text, name))) {
    const value = given ?? '';
    const isList = Array.isArray(value) && value.every(isScalar);
    if (!isList && !isScalar(value))
      throw new HeddleError(msg`${key} is neither a value nor a list of values`, { area: name });
    out[key] = value;
  }
  return out;
}

const isScalar = (value: unknown): value is YamlScalar =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/**
 * The keys of a file with their values, which are texts if `onlyTexts` is set. Throws a HeddleError with `name` and the
 * line that is not YAML.
 */
export function keysOf(text: string, name: string, { onlyTexts = false } = {}): Json {
  let read: unknown;
  try {
    read = load(text, { schema: onlyTexts ? FAILSAFE_SCHEMA : CORE_SCHEMA });
  } catch (error) {
    const { reason, mark } = error instanceof YAMLException ? error : {};
    const problem = reason ?? 'not YAML';
    throw new HeddleError(mark ? msg`line ${mark.line + 1}: ${problem}` : problem, {
      area: name,
      cause: error,
    });
  }
  if (!isObject(read)) throw new HeddleError('it has no keys with values', { area: name });
  return read;
}
