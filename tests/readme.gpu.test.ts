// The library's examples in the README and in docs/, run as they stand but for fewer pairs and steps.

import { expect, it } from 'vitest';
import training from '../docs/training.md?raw';
import readme from '../README.md?raw';
import * as heddle from '../src/index.ts';
import { testGpu } from './support/gpu.ts';

/** The code of a page's example. */
const exampleOf = (page: string): string => /```(?:ts|js)\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

/** Runs an example with changes to its text; resolves to what it prints. `kept` are files that it may use. */
async function run(example: string, changes: Readonly<Record<string, string>>, kept?: heddle.Files) {
  let body = example
    .replace(/import \{([^}]*)\} from 'heddle';/, 'const {$1} = heddle;')
    .replace("import * as heddle from 'heddle';", '');
  for (const [from, to] of Object.entries({ 'navigator.gpu': 'gpu', ...changes })) {
    expect(body).toContain(from);
    body = body.replace(from, to);
  }
  const said: unknown[][] = [];
  const start = new Function('heddle', 'gpu', 'console', 'kept', `return (async () => {${body}})();`);
  await start(heddle, await testGpu(), { log: (...words: unknown[]) => said.push(words) }, kept);
  return said;
}

it('runs the example of the README', async () => {
  const example = exampleOf(readme);
  const said = await run(example, { '20_000': '200', 'steps: 800': 'steps: 3' });
  expect(said.slice(0, 3).map(([step]) => step)).toEqual([0, 1, 2]);
  for (const [, loss] of said.slice(0, 3)) expect(loss).toBeGreaterThan(0);
  const [translations] = said[3] as [string[]];
  expect(translations).toHaveLength(1);
  expect(typeof translations[0]).toBe('string');
  // Ten lines, as promised: blank ones and the end of the resources not counted.
  expect(example.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10);
});

it('runs the example of docs/training.md, which goes on from its checkpoint', async () => {
  const files = heddle.memoryFiles();
  const small = '{ dModel: 16, heads: 2, encoderLayers: 1, decoderLayers: 1, feedForward: 16, maxLength: 64 }';
  const steps = (n: number) =>
    run(
      exampleOf(training),
      {
        '20_000': '300',
        'dev: 0.02': 'dev: 0.1',
        'batch: 64': 'batch: 16',
        'steps = 800': `steps = ${n}`,
        'every = 100': 'every = 2',
        'heddle.presets.tiny': small,
        'heddle.memoryFiles()': 'kept',
        '{ choose: (graphs, device, known) => heddle.tune(device, graphs, { known }) }': '{}',
      },
      files,
    );
  expect((await steps(4)).map(([step]) => step)).toEqual([2, 4]);
  expect((await heddle.readTrainingState(files, 'checkpoint')).step).toBe(4);
  const went = await steps(6);
  expect(went.map(([step]) => step)).toEqual([6]);
  for (const number of went[0] as number[]) expect(number).toBeGreaterThanOrEqual(0);
  expect((await heddle.loadModelFolder(files, 'model')).config.dModel).toBe(16);
});
