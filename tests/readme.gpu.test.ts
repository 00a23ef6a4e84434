// The examples of README.md and docs/getting-started.md, run as written but for fewer pairs and steps, on the
// tests' device.

import { expect, it } from 'vitest';
import gettingStarted from '../docs/getting-started.md?raw';
import readme from '../README.md?raw';
import * as data from '../src/entries/data.ts';
import * as library from '../src/entries/heddle.ts';
import { registerHost } from '../src/entries/host.ts';
import { memoryFiles } from '../src/files/memory-files.ts';
import { sample, testGpu } from './support/gpu.ts';

const files = memoryFiles();
const heddle = { ...library, ...data };
registerHost({ gpu: testGpu, files, modelPath: (name) => name });

/** The first example of a page. */
const exampleOf = (page: string): string => /```ts\n([\s\S]*?)```/.exec(page)?.[1] ?? '';

/** Runs an example with changes to its text; resolves to what it prints. */
async function run(example: string, changes: Readonly<Record<string, string>>) {
  let body = example.replace(/import \{([^}]*)\} from 'heddle(?:\/data)?';/g, 'const {$1} = heddle;');
  for (const [from, to] of Object.entries(changes)) {
    expect(body).toContain(from);
    body = body.replace(from, to);
  }
  const printed: unknown[][] = [];
  const start = new Function('heddle', 'console', `return (async () => {${body}})();`);
  await start(heddle, { log: (...words: unknown[]) => printed.push(words) });
  return printed;
}

const pages: [string, string][] = [
  ['README.md', readme],
  ['docs/getting-started.md', gettingStarted],
];
it.each(sample(pages, ([name]) => name === 'README.md'))('runs the first example of %s', async (_, page) => {
  const example = exampleOf(page);
  await files.remove('out');
  const printed = await run(example, { '20_000': '200', 'steps: 800': 'steps: 3, tune: false' });
  expect(printed.slice(0, 3).map(([step]) => step)).toEqual([1, 2, 3]);
  for (const [, loss] of printed.slice(0, 3)) expect(loss).toBeGreaterThan(0);
  expect(typeof printed[3]?.[0]).toBe('string');
  expect(await files.exists('out/config.json')).toBe(true);
  const code = example.split('\n').filter((line) => /^ *[^\s/]/.test(line));
  expect(code.length).toBeLessThanOrEqual(10);
});
