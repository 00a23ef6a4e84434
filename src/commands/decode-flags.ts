// Decoding flags of `heddle translate` and `heddle eval`: one for each row of the table of decoding options
// (src/decode/decode-fields.ts) that has a flag.

import type { Command, Option } from 'commander';
import { HeddleError } from '../core/errors.ts';
import { flagOf } from '../core/fields.ts';
import { msg } from '../core/message.ts';
import { type DecodeField, type DecodeFieldName, decodeRows } from '../decode/decode-fields.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { TranslateOptions } from '../decode/text-options.ts';
import { fieldOption, list } from './parse-values.ts';

/**
 * Values of the flags by commander's names; `numReturn` is a flag of `translate` only. `repeatNgramSize` is
 * `--no-repeat-ngram-size`.
 */
export interface DecodingFlags
  extends Pick<DecodeOptions, 'method' | 'beams' | 'numReturn' | 'lengthPenalty'> {
  readonly badWords?: string[];
}

/** The options that `translate` has flags for with its own help texts. */
const ofTranslate: readonly DecodeFieldName[] = ['numReturn', 'maxNewTokens'];

/** The flag of an option. */
function optionOf([name, row]: readonly [DecodeFieldName, DecodeField]): Option {
  const standard = row.default === undefined ? undefined : String(row.default);
  return fieldOption(name, row, row.defaultText ?? standard);
}

const rowsWithFlag = decodeRows.filter(([name, row]) => flagOf(name, row) !== undefined);

/** Adds the flags to a command. */
export function addDecodingFlags(command: Command): Command {
  command
    .optionsGroup('Decoding:')
    .option(
      '--bad-words <words>',
      'words and phrases that no translation contains, separated by commas',
      list,
    );
  for (const row of rowsWithFlag) if (!ofTranslate.includes(row[0])) command.addOption(optionOf(row));
  return command;
}

/** The decoding options in the flags. Throws a HeddleError if flags exclude each other. */
export function decodeOptionsOf(
  flags: DecodingFlags,
): Omit<DecodeOptions, 'maxNewTokens' | 'onProgress' | 'signal'> & Pick<TranslateOptions, 'badWords'> {
  const { method, numReturn = 1 } = flags;
  const { beams = method === 'beam' ? 4 : 1 } = flags;
  if (method !== undefined && method !== 'beam' && beams > 1)
    throw new HeddleError(msg`--method ${method} and --beams ${beams} exclude each other; use one of them`);
  if (flags.lengthPenalty !== undefined && beams === 1 && flags.numReturn === undefined)
    throw new HeddleError(
      msg`${'--length-penalty'} needs --beams 2 or more: greedy decoding and sampling compare no scores`,
    );
  if (numReturn > 1 && method !== 'sample' && numReturn > beams)
    throw new HeddleError(
      msg`--num-return ${numReturn} needs --beams ${numReturn} or more, or --method sample`,
    );
  const given: Partial<Record<DecodeFieldName, unknown>> = {};
  for (const row of rowsWithFlag) {
    const [name, { only }] = row;
    const option = optionOf(row);
    const value = (flags as Readonly<Record<string, unknown>>)[option.attributeName()] ?? undefined;
    if (value === undefined || name === 'maxNewTokens') continue;
    if (only === 'sample' && method !== 'sample')
      throw new HeddleError(msg`${option.long} needs --method sample`);
    if (only === 'beam' && beams === 1) throw new HeddleError(msg`${option.long} needs --beams 2 or more`);
    given[name] = value;
  }
  return { ...(given as DecodeOptions), badWords: flags.badWords };
}
