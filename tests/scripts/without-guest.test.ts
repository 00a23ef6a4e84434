// Tables without the rows of a guest that is gone.
import { expect, it } from 'vitest';
import { withoutRows } from '../../scripts/without-guest.mjs';

const without = (text: string) =>
  withoutRows('src/features/table.ts', text, (path: string) => path.startsWith('src/features/speech/'));

it('removes imports, elements of lists, properties and types', () => {
  expect(
    without(`import { a } from './corpora/a.ts';
import { type Clip, frames } from './speech/frames.ts';

const corpora = { rows: [a] };

/** Frames. */
const speech = { rows: [frames] };

export const all = join([corpora, speech]);
export interface Options extends A, Clip {}
export type Data = A | readonly Clip[];
export type Clips = readonly Clip[];
`),
  ).toBe(`import { a } from './corpora/a.ts';

const corpora = { rows: [a] };

export const all = join([corpora]);
export interface Options extends A {}
export type Data = A;
export type Clips = never;
`);
});

it('removes whole rows that load the code of the guest', () => {
  expect(
    without(`export const commands = {
  train: row({ load: () => import('./train.ts') }),
  transcribe: row({
    load: () => import('./speech/transcribe.ts'),
  }),
};
`),
  ).toBe(`export const commands = {
  train: row({ load: () => import('./train.ts') }),
};
`);
});
