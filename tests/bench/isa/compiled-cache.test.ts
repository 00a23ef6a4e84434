// What compilers made of kernels in earlier runs: what the cache keeps, and its keys.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { CompiledCache, cacheKey } from '../../../bench/isa/compiled-cache.ts';
import { kernelsIn } from '../../../bench/isa/compilers.ts';
import { scratch } from '../../support/cli.ts';

const printed = `disasm:
BB0:
\tv_fmac_f32 v0, v1, v2
\ts_endpgm
*** SHADER STATS ***
Instructions: 2
VGPRs: 48
`;

const part = (key: string, text: string, cached = false) =>
  `@@ ${JSON.stringify({ from: 'heddle', name: key, module: 0, key, cached })}\n${text}`;

it('keeps what a compiler made of a kernel, also that it printed nothing', async () => {
  const folder = join(scratch(), 'compiled');
  const cache = CompiledCache.of(folder, 'navi31', ['one']);
  const first = await kernelsIn('navi31', [part('a', printed), part('b', '\n')], cache);
  expect(first.kernels).toHaveLength(1);
  expect([cache.has('a'), cache.has('b'), cache.has('c')]).toEqual([true, true, false]);
  const again = await kernelsIn('navi31', [part('a', '', true), part('b', '', true)], cache);
  expect(again.kernels.map(({ compiled }) => compiled)).toEqual(
    first.kernels.map(({ compiled }) => compiled),
  );
  expect(CompiledCache.of(folder, 'navi31', ['another parser']).has('a')).toBe(false);
});

it('does not keep what the parser does not understand', async () => {
  const cache = new CompiledCache(join(scratch(), 'unknown'));
  await kernelsIn('navi31', [part('a', 'not compiled: it needs subgroups\n')], cache);
  expect(cache.has('a')).toBe(false);
});

it('has a key for each kernel: its code, its entry and its constants', () => {
  const keys = [
    cacheKey('code', 'main'),
    cacheKey('code', 'other'),
    cacheKey('code', 'main', { ROWS: 4 }),
    cacheKey('code', 'main', { ROWS: 8 }),
    cacheKey('more code', 'main'),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});
