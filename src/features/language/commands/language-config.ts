// The configuration file of `heddle language`: YAML or JSON with a field for each step, whose fields are the flags of
// the step's command.

import { readYamlFields } from '../../../commands/config/yaml-file.ts';
import { HeddleError } from '../../../core/errors.ts';
import { suggestion } from '../../../core/fields.ts';
import { type Message, msg } from '../../../core/message.ts';
import type { Files } from '../../../files/files.ts';
import { isObject, type Json } from '../../../files/json-files.ts';

/**
 * Flags of a command by name, in camel case or with hyphens: a value, a list of values, or whether the flag is given.
 */
export type Flags = Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;

/** The configuration of a language pair. */
export interface LanguageConfig {
  /** Codes of source and target, for example en and es. */
  readonly languages: readonly [source: string, target: string];
  /** Files of pairs. */
  readonly data: readonly string[];
  /** File of dev pairs. */
  readonly dev: string;
  /** Flags of `heddle clean`; false: the pairs are used as they are. */
  readonly clean: Flags | false;
  /** Flags of `heddle tokenizer`. */
  readonly tokenizer: Flags;
  /** Flags of `heddle train`, or the folder of a teacher that exists. */
  readonly teacher: Flags | string;
  /** Flags of `heddle distill`. */
  readonly student: Flags;
  /** Flags of the quantization-aware training by `heddle train`; false: none. */
  readonly quantize: Flags | false;
  /** Whether the files get a shortlist. */
  readonly shortlist: boolean;
}

const fields = [
  'languages',
  'data',
  'dev',
  'clean',
  'tokenizer',
  'teacher',
  'student',
  'quantize',
  'shortlist',
] as const;

const example = 'see "A language in a tab" in docs/firefox.md for an example';

/** Reads a configuration. Throws a HeddleError that names the file and the field. */
export async function readLanguageConfig(files: Files, path: string): Promise<LanguageConfig> {
  return configOf(await readYamlFields(files, path, example), path);
}

function configOf(json: Json, path: string): LanguageConfig {
  const fail = (text: Message | string): never => {
    throw new HeddleError(text, { area: path });
  };
  for (const name of Object.keys(json))
    if (!(fields as readonly string[]).includes(name))
      fail(msg`there is no field ${name}${suggestion(name, fields) ?? ''}`);
  const { languages, data, dev, shortlist = true } = json;
  if (
    !Array.isArray(languages) ||
    languages.length !== 2 ||
    !languages.every((code) => /^[a-z]{2,3}$/.test(code))
  )
    return fail(`languages must be two codes such as [en, es]; ${example}`);
  const pairs = [data].flat();
  if (pairs.length === 0 || !pairs.every((file) => typeof file === 'string'))
    return fail(`data must be a file of pairs, or a list of such files; ${example}`);
  if (typeof dev !== 'string') return fail('dev must be a file of pairs, which measure teacher and student');
  if (typeof shortlist !== 'boolean') return fail('shortlist must be true or false');
  const flagsOf = (name: string): Flags => {
    const flags = json[name] ?? {};
    if (!isObject(flags)) return fail(`${name} must have fields, the flags of its command`);
    for (const [flag, value] of Object.entries(flags))
      if (![value].flat().every((one) => ['string', 'number', 'boolean'].includes(typeof one)))
        fail(`${name}.${flag} must be a text, a number, true, false or a list of texts and numbers`);
    return flags as Flags;
  };
  return {
    languages: languages as [string, string],
    data: pairs as string[],
    dev,
    clean: json.clean === false ? false : flagsOf('clean'),
    tokenizer: flagsOf('tokenizer'),
    teacher: typeof json.teacher === 'string' ? json.teacher : flagsOf('teacher'),
    student: flagsOf('student'),
    quantize: json.quantize === false ? false : flagsOf('quantize'),
    shortlist,
  };
}

/** The words of flags on a command line. A value of false leaves a flag out. */
export const flagWords = (flags: Flags): string[] =>
  Object.entries(flags).flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
    if (value === false) return [];
    if (value === true) return [flag];
    return [value].flat().flatMap((one) => [flag, String(one)]);
  });
