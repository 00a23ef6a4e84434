// Messages of the library in the words of the page Train.

import { expect, it } from 'vitest';
import { errorForVisitors, messageForVisitors, pageWords } from '../../demo/train/worker/visitor-messages.ts';
import { HeddleError } from '../../src/core/errors.ts';
import { type Message, msg, offer, option, percentage, renderMessage } from '../../src/core/message.ts';
import { encodeTexts } from '../../src/decode/source-texts.ts';
import { libraryMessages } from '../support/source-texts.ts';
import { trainWords } from '../support/tokenizers.ts';

const shown = (message: Message | string): string => renderMessage(messageForVisitors(message));

it('replaces messages that the library has, with holes that they have', () => {
  const known = [...libraryMessages().keys()];
  for (const [key, words] of Object.entries(pageWords)) {
    expect(known, key).toContain(key);
    const [text, ...chosen] = typeof words === 'string' ? [words] : words;
    const [has, needs] = [key, text].map((of) => [...of.matchAll(/\{(\d+)\}/g)].map(([, i]) => Number(i)));
    expect(needs, key).toEqual(needs?.map((_, i) => i));
    if (chosen.length > 0) expect(chosen, key).toHaveLength(needs?.length ?? 0);
    for (const hole of chosen.length > 0 ? chosen : (needs ?? [])) expect(has, key).toContain(hole);
  }
});

it('names settings by their labels, in messages and offers', () => {
  expect(
    shown(msg`lower ${option('warmupSteps')}, or use ${offer({ batchSize: 16, weights: 'f16' })}`),
  ).toMatch(/^lower “Warm-up steps”, or use “Batch size”: 16, .*: f16$/);
});

it('shows no function, package, path or advice that is for programs', () => {
  const error = new HeddleError(msg`no pairs are left to train on; reduce ${option('heldOut')}`, {
    area: 'train',
  });
  expect(renderMessage(errorForVisitors(error))).toBe(
    'All pairs are held out; add pairs, or reduce “Held-out fraction”',
  );
  const lost = msg` The checkpoint of step ${7} is in ${'models/a'}; resume the run to continue.`;
  expect(shown(msg`It stopped.${lost}`)).toBe(
    'It stopped. The checkpoint of step 7 is in this browser; Resume continues it.',
  );
  const diverged = msg`Training diverged: the loss of step ${3} is ${'NaN'} and ${21} updates were skipped; lower the learning rate.`;
  expect(shown(msg`${diverged} (its log and report are in ${'models/a.failed'})`)).toBe(
    renderMessage(diverged),
  );
  const unknown = msg`unknown tokens: ${percentage(0.004)} of the source, ${percentage(0.021)} of the target`;
  expect(shown(msg`dev: more than 2 % ${unknown}`)).toContain(
    '0.4 % of the source, 2.1 % of the target. The model',
  );
  expect(
    renderMessage(errorForVisitors(new HeddleError('it is damaged', { area: 'models/a/config.json' }))),
  ).toBe('a/config.json: it is damaged');
});

it('says of a text that is too long what the visitor can do', async () => {
  const source = trainWords(['a b c'], { size: 10 });
  const error: unknown = await encodeTexts(['a b c'], source, 2).catch((thrown: unknown) => thrown);
  expect(renderMessage(errorForVisitors(error))).toBe(
    'This text has 4 tokens with its end token; the model reads at most 2. Split it: "a b c"',
  );
});

it('shortens long texts and values', () => {
  expect(shown('x'.repeat(5000)).length).toBeLessThan(500);
  expect(shown(msg`"${'x'.repeat(5000)}" is not the name of a model`)).toBe(
    `"${'x'.repeat(40)}…" is not the name of a model`,
  );
});
