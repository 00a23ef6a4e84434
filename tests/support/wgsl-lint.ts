// Finds valid WGSL at which naga, the shader compiler of Firefox and Deno, panics, which ends the browser.
// See `lintWgsl`.

import { closing, withoutComments } from '../../src/engine/gpu/wgsl.ts';

/**
 * Returns the faults of a compiled source, one sentence each. Forbidden are
 * - an override expression as the size of an array (give it a name: `override SIZE: u32 = N * 2u;`),
 * - a pointer to an element or a member as an argument of one of the module's own functions,
 * - a parameter that is a pointer into another address space than `function`,
 * - `enable subgroups`, except in variants for devices that have them (`subgroups: true`), and experimental
 *   extensions,
 *   except in variants for devices with subgroup matrices (`matrices: true`).
 */
export function lintWgsl(source: string, { subgroups = false, matrices = false } = {}): string[] {
  const code = withoutComments(source);
  const faults: string[] = [];
  const names = (pattern: RegExp) => new Set([...code.matchAll(pattern)].map(([, name = '']) => name));
  const overrides = names(/\boverride\s+(\w+)/g);
  for (const size of arraySizes(code))
    if (!/^\w+$/.test(size) && size.match(/[A-Za-z_]\w*/g)?.some((word) => overrides.has(word)))
      faults.push(`the size of an array is the override expression ${size}: give it a name`);
  const own = names(/\bfn\s+(\w+)/g);
  for (const { index, 0: head, 1: name = '' } of code.matchAll(/(?<!\bfn\s+)\b(\w+)\s*\(/g)) {
    const open = index + head.length - 1;
    const pointer = own.has(name) && /&\s*\(*\w+\)*\s*[[.]/.exec(code.slice(open, closing(code, open)));
    if (pointer) faults.push(`${name} gets a pointer to an element: ${pointer[0]}`);
  }
  for (const [, space = ''] of code.matchAll(/[(,]\s*\w+\s*:\s*ptr\s*<\s*(\w+)/g))
    if (space !== 'function') faults.push(`a parameter is a pointer into ${space}`);
  if (!subgroups && /^\s*enable\b[^;]*\bsubgroups\b/m.test(code))
    faults.push('subgroups are enabled for all devices');
  if (!matrices && /^\s*enable\b[^;]*\bchromium_/m.test(code))
    faults.push('an experimental extension is enabled for all devices');
  return faults;
}

/** The size of each `array<element, size>`. */
function arraySizes(code: string): string[] {
  return [...code.matchAll(/\barray\s*</g)].flatMap(({ index, 0: head }) => {
    let depth = 0;
    let comma = -1;
    for (let i = index + head.length - 1; i < code.length; i++) {
      const c = code[i];
      if (c === '(') i = closing(code, i);
      if (c === '<') depth++;
      if (c === ',' && depth === 1) comma = i;
      if (c === '>' && --depth === 0) return comma < 0 ? [] : [code.slice(comma + 1, i).trim()];
    }
    return [];
  });
}
