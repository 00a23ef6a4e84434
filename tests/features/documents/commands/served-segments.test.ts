// What a server keeps of texts: inline codes, and the tags of HTML.
import { expect, it } from 'vitest';
import { servedSegments } from '../../../../src/features/documents/commands/served-segments.ts';
import { fakeModel } from '../../../support/fake-sentence-model.ts';

const model = fakeModel((text) => text.toUpperCase());

it('keeps the codes of a text', async () => {
  expect(await servedSegments.text(model, 'Hello you. And {name}?')).toBe('HELLO YOU. AND {name}?');
});

it('translates HTML', async () => {
  expect(await servedSegments.html?.(model, '<p>one <b>two</b> &amp; three</p>')).toBe(
    '<p>ONE <b>TWO</b> &amp; THREE</p>',
  );
});
