// Messages about options: names in the library, flags on the command line, labels in the language of the page.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { errorForVisitors } from '../../demo/train/worker/visitor-messages.ts';
import { errorText, eventText, flagStyle } from '../../src/commands/message-flags.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { checkFields } from '../../src/core/fields.ts';
import { type Message, msg, offer, option, renderMessage } from '../../src/core/message.ts';
import { decodeRows } from '../../src/decode/decode-fields.ts';
import { settingRows, settingTable } from '../../src/features/all-settings.ts';

const texts = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../demo/texts/es.json'), 'utf8'),
) as Readonly<Record<string, string>>;

/** A message as a Spanish page writes it. */
const inSpanish = (message: Message | string): string =>
  renderMessage(message, {
    text: (key) => texts[key],
    hole: (hole) =>
      typeof hole === 'object' && hole.type === 'label' ? `“${texts[hole.text] ?? hole.text}”` : undefined,
  });

/** The error of a value that no setting has. */
function errorOf(name: string, table: object): HeddleError {
  try {
    checkFields({ area: 'train' }, table as never, {
      [name]: ['model', 'dropout'].includes(name) ? 'wrong' : { wrong: 1 },
    });
  } catch (error) {
    if (error instanceof HeddleError) return error;
    throw error;
  }
  throw new Error(`${name} has accepted an object`);
}

it.each(settingRows.map(([name]) => name))('names the setting %s for each reader', (name) => {
  const row = settingTable.rows[name];
  const error = errorOf(name, { [name]: row });
  expect(error.message).toContain(`train: ${name} is `);
  expect(errorText(error)).toContain(`train: ${settingTable.flag(name)} is `);
  const { label } = row as { readonly label?: string };
  const said = inSpanish(errorForVisitors(error));
  if (label) expect(said).toContain(`“${texts[label] ?? label}” es `);
  else expect(said).toContain(`${name} es `);
});

it.each(decodeRows.map(([name]) => name))('names the decoding option %s for each reader', (name) => {
  const row = Object.fromEntries(decodeRows)[name];
  const error = errorOf(name, { [name]: row });
  expect(error.message).toContain(`${name} is `);
  expect(errorText(error)).toMatch(row?.flag === null ? `${name} is ` : /--[a-z-]+ is /);
});

it('writes offers as a program or a command line has them', () => {
  const message = msg`It fits with ${offer({ gradientCheckpointing: true, batchSize: 16, lora: { rank: 8 }, weights: 'f16' })}.`;
  expect(renderMessage(message)).toBe(
    "It fits with gradientCheckpointing: true, batchSize: 16, lora: { rank: 8 }, weights: 'f16'.",
  );
  expect(renderMessage(message, flagStyle)).toBe(
    'It fits with --gradient-checkpointing --batch-size 16 --lora-rank 8 --weights f16.',
  );
  expect(renderMessage(msg`use ${option('heads', 4)}`, flagStyle)).toBe('use --set heads=4');
});

it('leaves texts without holes, and values that look like options', () => {
  expect(eventText({ text: 'batchSize.tsv: there is no such file' })).toBe(
    'batchSize.tsv: there is no such file',
  );
  expect(renderMessage(msg`line ${3}: ${'batchSize'} is no number`, flagStyle)).toBe(
    'line 3: batchSize is no number',
  );
});
