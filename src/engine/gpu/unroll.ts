// Loop unrolling of WGSL. Some shader compilers (SwiftShader's) do not unroll, and keep the arrays that a
// loop indexes in memory; with constant indices they are in registers. The files stay readable, and mean the
// same without this step.

import { closing, evaluate } from './wgsl.ts';

/**
 * Replaces each `for (var i = A; i < N; i++ or i += S) {...}` under a line `// unroll` by its bodies, with
 * the counter as a literal; under `// unroll up to M` only if N is at most M, since hundreds of bodies
 * compile slowly. A, M, N and S are integers or module-scope integer consts. N may also be min(C, x): C is a
 * const; x is a parameter or a call `x()`, and is never below C. Such a bound keeps drivers from unrolling
 * the loops that this function leaves. Throws if a marked loop has another form.
 */
export function unroll(source: string): string {
  const consts = constants(source);
  const header =
    /\/\/ unroll(?: up to (\w+))?\n\s*for \(var (\w+)(?:: u32)? = ([^;]+); \2 < ([^;]+); \2(?:(\+\+)| \+= ([^)]+))\) \{/;
  let out = source;
  for (let m = header.exec(out); m; m = header.exec(out)) {
    const [head, limit, counter = '', first = '', end = '', once, by = '1'] = m;
    const start = m.index + head.length;
    const close = closing(out, start - 1);
    const body = out.slice(start, close);
    if (/\b(break|continue)\b/.test(body)) break;
    const bound = end.replace(/^min\((\w+), [^()]+(\(\))?\)$/, '$1');
    const [from, to, step] = [first, bound, once ? '1' : by].map((x) => evaluate(x, consts)) as [
      number,
      number,
      number,
    ];
    if (!(to - from >= 0 && step > 0)) break;
    if (limit !== undefined && to > Number(evaluate(limit, consts))) {
      out = out.slice(0, m.index) + out.slice(m.index).replace(/.*\n/, '');
      continue;
    }
    const name = new RegExp(`\\b${counter}\\b`, 'g');
    let bodies = '';
    for (let i = from; i < to; i += step) bodies += `{${body.replace(name, `${i}u`)}}`;
    out = out.slice(0, m.index) + bodies + out.slice(close + 1);
  }
  const marked = /\/\/ unroll.*\n(.*)/.exec(out);
  if (marked) throw new Error(`shader: this loop cannot be unrolled: ${marked[1]?.trim()}`);
  return out;
}

/** Module-scope integer consts, including those computed from others, in any order. */
function constants(source: string): Map<string, number> {
  const consts = new Map<string, number>();
  const stated = [...source.matchAll(/^const (\w+)(?:: u32)? = ([\s\w()+*/-]+);/gm)];
  for (let known = -1; known < consts.size; ) {
    known = consts.size;
    for (const [, name = '', value = ''] of stated) {
      const number = evaluate(value, consts);
      if (Number.isInteger(number)) consts.set(name, number);
    }
  }
  return consts;
}
