// Messages of the library on the command line: an option is its flag, `--batch-size` for `batchSize`.

import { messageOf } from '../core/errors.ts';
import { flagOf } from '../core/fields.ts';
import { type Message, type MessageStyle, msg, option, renderMessage } from '../core/message.ts';
import { decodeRows } from '../decode/decode-fields.ts';
import { settingRows, settingTable } from '../features/all-settings.ts';
import { modelFields } from '../model/model-fields.ts';

/** Flags by the name of their option. */
const flags = new Map<string, string>([
  ...decodeRows.flatMap(([name, row]): [string, string][] => {
    const flag = flagOf(name, row);
    return flag === undefined ? [] : [[name, flag]];
  }),
  ...settingRows.map(([name]): [string, string] => [name, settingTable.flag(name)]),
  ['lora', '--lora-rank'],
  ['out', '--out'],
  ['force', '--force'],
  ['resume', '--resume'],
  ['memoryLimit', '--memory-limit'],
  ['memoryBudget', '--memory-budget'],
  ['keep', '--keep'],
  ['maxEntropy', '--max-entropy'],
  ['sourceColumn', '--source-column'],
  ['targetColumn', '--target-column'],
  ['encoding', '--encoding'],
]);

/** How the command writes messages. */
export const flagStyle: MessageStyle = {
  hole(hole) {
    if (typeof hole !== 'object') return undefined;
    if (hole.type === 'option') return flags.get(hole.name);
    if (hole.type !== 'offer') return undefined;
    return Object.entries(hole.values).map(flagText).join(' ');
  },
};

/** `--batch-size 16`; an option without a flag is as in the library. */
function flagText([name, value]: readonly [string, unknown]): string {
  // Flags of several fields: lora: { rank: 8 } is --lora-rank 8.
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value)
      .map(([field, of]) => flagText([`${name}.${field}`, of]))
      .join(' ');
  const flag = flags.get(name);
  if (flag !== undefined) return value === true ? flag : `${flag} ${value}`;
  if (name in modelFields) return `--set ${name}=${value}`;
  return renderMessage(msg`${option(name, value)}`);
}

/** The message of an event. */
export const eventText = ({
  text,
  template,
}: {
  readonly text: string;
  readonly template?: Message;
}): string => renderMessage(template ?? text, flagStyle);

/** The message of an error. */
export const errorText = (error: unknown): string => messageOf(error, flagStyle);
