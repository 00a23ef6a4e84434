// Unrolls marked WGSL loops.
import { expect, it } from 'vitest';
import { unroll } from '../../../src/engine/gpu/unroll.ts';
import { errorNaming } from '../../support/expect-error.ts';

const flat = (text: string) => text.replace(/\s+/g, ' ').trim();

it('replaces a marked loop by its bodies with the counter as a literal', () => {
  const source = 'fn f() {\n  // unroll\n  for (var i = 1u; i < 4u; i++) { x[i] = i; }\n}\n';
  expect(flat(unroll(source))).toBe('fn f() { { x[1u] = 1u; }{ x[2u] = 2u; }{ x[3u] = 3u; } }');
});

it('reads bounds and steps from consts, also computed ones, in any order', () => {
  const source =
    'const N: u32 = (W + 3u) / 4u * 2u;\nconst W: u32 = 10u;\n// unroll\nfor (var c = 0u; c < N; c += 2u) { a(c + 1u); }\n';
  expect(flat(unroll(source))).toContain('{ a(0u + 1u); }{ a(2u + 1u); }{ a(4u + 1u); }');
});

it('unrolls loops inside loops, but not unmarked loops, and replaces only whole names', () => {
  const source = `// unroll
for (var r = 0u; r < 2u; r++) {
  // unroll
  for (var c = 0u; c < 2u; c++) { f(r, c, rows); }
  for (var k = 0u; k < 2u; k++) { g(k); }
}`;
  const out = flat(unroll(source));
  expect(out.match(/f\(\du, \du, rows\)/g)).toEqual([
    'f(0u, 0u, rows)',
    'f(0u, 1u, rows)',
    'f(1u, 0u, rows)',
    'f(1u, 1u, rows)',
  ]);
  expect(out.match(/for \(var k/g)).toHaveLength(2);
});

it('does not unroll loops above their limit, but those inside them', () => {
  const loops =
    '// unroll up to 8\nfor (var i = 0u; i < 9u; i++) {\n// unroll\nfor (var j = 0u; j < 1u; j++) { f(i, j); }\n}';
  expect(flat(unroll(loops))).toBe('for (var i = 0u; i < 9u; i++) { { f(i, 0u); } }');
  expect(unroll('// unroll up to 8\nfor (var i = 0u; i < 8u; i++) { f(i); }')).toContain('f(7u)');
  const named = 'const MOST = 8u;\n// unroll up to MOST\nfor (var i = 0u; i < 8u; i++) { f(i); }';
  expect(unroll(named)).toContain('f(7u)');
  expect(unroll(named.replace('MOST = 8u', 'MOST = 7u'))).not.toContain('f(7u)');
});

it('unrolls to the const if a bound is the minimum of a const and a parameter', () => {
  const loop = 'const N = 2u;\n// unroll up to 2\nfor (var i = 0u; i < min(N, params.n); i++) { f(i); }';
  expect(flat(unroll(loop))).toBe('const N = 2u; { f(0u); }{ f(1u); }');
  expect(unroll(loop.replace('N = 2u', 'N = 3u'))).toContain('i < min(N, params.n)');
  expect(flat(unroll(loop.replace('params.n', 'most()')))).toBe('const N = 2u; { f(0u); }{ f(1u); }');
});

it('throws for a marked loop that it cannot unroll', () => {
  expect(() => unroll('// unroll\nfor (var i = 0u; i < n; i++) { f(i); }')).toThrow(
    errorNaming('for (var i = 0u; i < n; i++)'),
  );
  expect(() => unroll('// unroll\nfor (var i = 0u; i < 2u; i++) { if (x) { break; } }')).toThrow(
    errorNaming('if (x) { break; }'),
  );
  expect(() => unroll('// unroll\nwhile (x) {}')).toThrow(errorNaming('while (x) {}'));
});
