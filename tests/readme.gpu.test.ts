// The library's example in the README, run as it stands but for fewer pairs and steps.

import { expect, it } from 'vitest';
import readme from '../README.md?raw';
import * as heddle from '../src/index.ts';
import { testGpu } from './support/gpu.ts';

it('runs the example of the README', async () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const names = /import \{([^}]*)\} from 'heddle';/.exec(example)?.[1] ?? '';
  const body = example
    .replace(/import [^;]*;/, `const {${names}} = heddle;`)
    .replace('navigator.gpu', 'gpu')
    .replace('20_000', '200')
    .replace('steps: 800', 'steps: 3');
  expect(body).toContain('steps: 3');
  const said: unknown[][] = [];
  const run = new Function('heddle', 'gpu', 'console', `return (async () => {${body}})();`);
  await run(heddle, await testGpu(), { log: (...words: unknown[]) => said.push(words) });
  expect(said.slice(0, 3).map(([step]) => step)).toEqual([0, 1, 2]);
  for (const [, loss] of said.slice(0, 3)) expect(loss).toBeGreaterThan(0);
  const [translations] = said[3] as [string[]];
  expect(translations).toHaveLength(1);
  expect(typeof translations[0]).toBe('string');
  // Ten lines, as promised: blank ones and the end of the resources not counted.
  expect(example.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(10);
});
