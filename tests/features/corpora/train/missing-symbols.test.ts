// Vocabularies without the tokens that augmentations write: new models of some tokenizers, and fine-tuned ones.

import { expect, it } from 'vitest';
import { features } from '../../../../src/features/features.ts';
import { memoryFiles } from '../../../../src/files/memory-files.ts';
import { emitTo } from '../../../../src/session/session-event.ts';
import type { JobEvent } from '../../../../src/train/report/training-events.ts';
import { prepareRun } from '../../../../src/train/run/prepared-run.ts';
import { type AllArguments, tinyTraining } from '../../../support/training.ts';

/** The warnings of a run that is set up. */
async function warnings(args: Partial<AllArguments>): Promise<string[]> {
  const told: string[] = [];
  const emit = emitTo((event: JobEvent) => void (event.type === 'warning' && told.push(event.text)));
  const pairs = Array.from({ length: 60 }, (_, i) => `one tree ${i}\tun árbol ${i}\n`).join('');
  const files = memoryFiles();
  await files.write('pairs.tsv', new TextEncoder().encode(pairs));
  await prepareRun(tinyTraining({ vocabSize: 200, ...args }), { files, emit, features }, undefined);
  return told.filter((text) => text.startsWith('augment'));
}

it('says nothing of a unigram model, which gets the tokens, and of augmentations without tokens', async () => {
  expect(await warnings({ tokenizer: 'unigram', augment: ['terms', 'placeholders', 'web'] })).toEqual([]);
  expect(await warnings({ tokenizer: 'bpe', augment: ['typos', 'upper-case'] })).toEqual([]);
});

it('warns of vocabularies that lack the tokens', async () => {
  expect(await warnings({ tokenizer: 'bpe', augment: ['terms', 'placeholders=0'] })).toEqual([
    expect.stringMatching(
      /^augment: terms: the vocabulary has no token for 3 of its 3 symbols \(__source__, __target__, __done__\), so /,
    ),
  ]);
  expect(await warnings({ tokenizer: 'word', augment: ['placeholders'] })).toEqual([
    expect.stringMatching(
      /^augment: placeholders: .* 24 of its 24 symbols \(U\+E000, U\+E001, U\+E002, \.\.\.\), so /,
    ),
  ]);
});
