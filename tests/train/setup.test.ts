// A training before its first step: what it goes on with, and how far.
import { describe, expect, it } from 'vitest';
import { memoryFiles } from '../../src/files/memory-files.ts';
import { saveModelFolder } from '../../src/formats/model-folder.ts';
import type { JobContext, JobEvent } from '../../src/runtime/job.ts';
import { setUp } from '../../src/train/setup.ts';
import type { TrainArguments } from '../../src/train/train-arguments.ts';
import { tinyCorpus, tinyTraining } from '../support/training.ts';

const write = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

/** Prepares a training on the tiny corpus, or one that goes on from a state.json; gives what it told too. */
async function prepared(args: TrainArguments, state?: object) {
  const files = memoryFiles();
  await files.write('pairs.tsv', write(tinyCorpus));
  const told: string[] = [];
  const emit = (event: JobEvent) => void ('text' in event && told.push(event.text));
  const context = { files, emit } satisfies Partial<JobContext> as unknown as JobContext;
  if (state) {
    const { task, parameters } = await setUp(tinyTraining({ corpus: args.corpus, steps: 1 }), context, undefined);
    await saveModelFolder(files, 'm', { ...task, weights: new Float32Array(parameters.size) });
    await files.write('m/state.json', write({ version: 1, step: 3, ...state }));
  }
  return { ...(await setUp(args, context, state && { files, folder: 'm' })), told };
}

/** A training without a number of steps. */
function byEpochs(fields: Partial<TrainArguments>): TrainArguments {
  const { steps: _, ...rest } = tinyTraining(fields);
  return rest;
}
const again = ({ steps, ...fields }: Partial<TrainArguments>) => ({
  ...byEpochs({ resume: true, ...fields }),
  ...(steps !== undefined && { steps }),
});

it("has the parameters of Keras's example, however few words there are", async () => {
  const words = { tokenizer: 'word', vocabSize: 15_000, fillVocab: true } as const;
  const { parameters, told } = await prepared(tinyTraining({ preset: 'keras', model: {}, ...words }));
  expect(parameters.count).toBe(19_960_216);
  expect(told.at(-1)).toContain('vocabularies of 15000 and 15000 tokens, 19,960,216 parameters');
});

describe('a training that goes on', () => {
  it('goes as far as it was to go, or to other steps or epochs', async () => {
    const state = { arguments: tinyTraining({ steps: 40 }) };
    expect((await prepared(again({}), state)).steps).toBe(40);
    expect((await prepared(again({ steps: 50 }), state)).steps).toBe(50);
    const { steps, perEpoch } = await prepared(again({ epochs: 7 }), state);
    expect(steps).toBe(7 * perEpoch);
  });

  it('has as many updates as its epochs have batches for, however many each takes', async () => {
    const of = async (epochs: number, gradientAccumulationSteps: number) =>
      (await prepared(byEpochs({ epochs, gradientAccumulationSteps, heldOut: 0 }))).steps;
    // 96 pairs in batches of 8.
    expect([await of(1, 1), await of(3, 1), await of(1, 5), await of(3, 5), await of(5, 5)]).toEqual([
      12, 36, 3, 8, 12,
    ]);
  });

  it('tells where its schedule falls to another end than before', async () => {
    const args = (steps: number) => tinyTraining({ steps, schedule: 'cosine', warmupSteps: 0 });
    const { recipe } = await prepared(args(4));
    const state = { schedule: recipe.schedule, arguments: args(4) };
    const { told } = await prepared(again({ steps: 9 }), state);
    expect(told.at(-1)).toMatch(/the cosine schedule now ends at step 9, before it was 4: .*--schedule-steps 9/);
    expect((await prepared(again({ steps: 4 }), state)).told.at(-1)).toMatch(/training pairs/);
  });

  it('goes on with phrases of another Unicode CLDR, and tells', async () => {
    const corpus = { kind: 'intl', source: 'en', target: 'es', pairs: 60, seed: 1 } as const;
    const { data } = await prepared(tinyTraining({ corpus }));
    const state = (hash: string) => ({ data: { ...data, hash }, arguments: tinyTraining({ corpus }) });
    const told = async (hash: string) => (await prepared(again({ corpus }), state(hash))).told.join('\n');
    expect(await told(data.hash)).not.toMatch(/its version differs/);
    expect(await told('0')).toMatch(
      new RegExp(
        `^English to Spanish, from .*: these are not the pairs .*both ${data.pairs}\\), because its version differs`,
        'm',
      ),
    );
  });

  it('is refused where its state does not say how it was started', async () => {
    await expect(prepared(again({ out: 'm' }), {})).rejects.toThrow(/^m: state.json has no arguments of the run/);
  });
});
