// Messages of the library name options; on the command line they name flags: `batchSize: 16` is `--batch-size 16`.

import { flagOf } from '../core/fields.ts';
import { decodeRows } from '../decode/decode-fields.ts';
import { settingRows, settingTable } from '../features/all-settings.ts';

/** Flags by the name of their option. */
const flags = new Map<string, string>([
  ...decodeRows.flatMap(([name, row]): [string, string][] => {
    const flag = flagOf(name, row);
    return flag === undefined ? [] : [[name, flag]];
  }),
  ...settingRows.map(([name]): [string, string] => [name, settingTable.flag(name)]),
  ['memoryLimit', '--memory-limit'],
  ['memoryBudget', '--memory-budget'],
  ['sourceColumn', '--source-column'],
  ['targetColumn', '--target-column'],
]);

/**
 * An option with its value, as messages write offers. The value of a name of one word is a quoted text or an object, so
 * that no sentence has it by chance. A comma before the next one is part of it: flags have none.
 */
const assignment =
  /(?<![\w./\\"'`-])(?:([a-z]+[A-Z]\w*): (true|-?[\d.]*\d)\b|([a-z]\w*): (\{[^{}]*\}|'[^']*'|"[^"]*"))(, (?=[a-z]\w*: [\w{'"]))?/g;

/** A name of several words, which no sentence has by chance; not a part of a path or of a quoted text. */
const camelCase = /(?<![\w./\\"'`=-])[a-z]+[A-Z]\w*(?![\w/\\"'`=-]|\.\w)/g;

/** A name of one word after a verb that changes an option. */
const changed = /\b(raise|lower|increase|reduce|omit|with(?= init\b)) ([a-z]+)(?![\w./:-])/g;

/** A message of the library with flags in place of options. */
export const inFlags = (text: string): string =>
  text
    .replace(assignment, (all, ...groups: (string | undefined)[]) => {
      const [name = groups[2] ?? '', value = groups[3] ?? ''] = groups;
      const flag = flagText(name, value);
      return flag === undefined ? all : flag + (groups[4] === undefined ? '' : ' ');
    })
    .replace(changed, (_, verb: string, name: string) => `${verb} ${flags.get(name) ?? name}`)
    .replace(camelCase, (name) => flags.get(name) ?? name);

/** `--batch-size 16`; undefined if an option has no flag. */
function flagText(name: string, value: string): string | undefined {
  if (name === 'lora' && value.startsWith('{')) {
    const fields = value.slice(1, -1).replaceAll('"', '').split(',');
    const texts = fields.map((field) => field.split(':').map((part) => part.trim()));
    const all = texts.map(([field = '', of = '']) => flagText(`lora.${field}`, of));
    return all.includes(undefined) ? undefined : all.join(' ');
  }
  const flag = flags.get(name);
  if (flag === undefined) return undefined;
  return value === 'true' ? flag : `${flag} ${value.replace(/^(['"])(.*)\1$/, '$2')}`;
}
