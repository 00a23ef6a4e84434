// Vocabularies without the tokens that augmentations write: new models of some tokenizers, and fine-tuned ones.

import { isDeepStrictEqual } from 'node:util';
import { expect, it } from 'vitest';
import { type Message, option } from '../../../../src/core/message.ts';
import { features } from '../../../../src/features/features.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { emitTo } from '../../../../src/session/session-event.ts';
import type { JobEvent } from '../../../../src/train/report/training-events.ts';
import { prepareRun } from '../../../../src/train/run/prepared-run.ts';
import { reportStart } from '../../../../src/train/run/start-messages.ts';
import { holeValues } from '../../../support/expect-error.ts';
import { type AllArguments, tinyTraining } from '../../../support/training.ts';

/** The values in each warning about an augmentation of a run that is set up. */
async function warnings(args: Partial<AllArguments>): Promise<unknown[]> {
  const told: (Message | undefined)[] = [];
  const emit = emitTo((event: JobEvent) => void (event.type === 'warning' && told.push(event.template)));
  const pairs = Array.from({ length: 60 }, (_, i) => `one tree ${i}\tun árbol ${i}\n`).join('');
  const files = memoryFiles();
  await files.write('pairs.tsv', new TextEncoder().encode(pairs));
  const given = tinyTraining({ vocabSize: 200, ...args });
  const session = { files, emit, features };
  reportStart(await prepareRun(given, session, undefined), given, session);
  return told.flatMap((template) => {
    const [first, ...values] = holeValues(template) ?? [];
    return isDeepStrictEqual(first, option('augment')) ? [values] : [];
  });
}

it('says nothing of a unigram model, which gets the tokens, and of augmentations without tokens', async () => {
  expect(await warnings({ tokenizer: 'unigram', augment: ['terms', 'placeholders', 'web'] })).toEqual([]);
  expect(await warnings({ tokenizer: 'bpe', augment: ['typos', 'upper-case'] })).toEqual([]);
});

it('warns of vocabularies that lack the tokens', async () => {
  expect(await warnings({ tokenizer: 'bpe', augment: ['terms', 'placeholders=0'] })).toEqual([
    expect.arrayContaining(['terms', 3, '__source__', '__target__', '__done__']),
  ]);
  expect(await warnings({ tokenizer: 'word', augment: ['placeholders'] })).toEqual([
    expect.arrayContaining(['placeholders', 24, 'U+E000', 'U+E001', 'U+E002', '...']),
  ]);
});
