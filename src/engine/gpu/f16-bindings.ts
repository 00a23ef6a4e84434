// f16 storage: kernels are written for f32 and compute in f32. For a tensor stored as f16, loads from its
// binding are cast to f32 and stores are cast to f16. The same source is compiled for f32 and f16; each
// binding has its own type.

import { closing, withoutComments } from './wgsl.ts';

/**
 * Rewrites `source` (includes and constants resolved) so that the storage bindings in `names` are arrays of
 * f16. Only bindings of f32, its vectors or an alias of them change: others are read as bits. Removes
 * comments if anything changes.
 */
export function storeAsF16(source: string, names: readonly string[]): string {
  let out = withoutComments(source);
  let changed = false;
  for (const name of names) {
    const declaration = new RegExp(`(var<storage[^>]*>\\s*${name}\\s*:\\s*array<)([^;]+)(>\\s*;)`);
    const stated = declaration.exec(out)?.[2] ?? '';
    const wide = new RegExp(`^alias\\s+${stated}\\s*=\\s*([^;]+);`, 'm').exec(out)?.[1] ?? stated;
    if (!/^(f32|vec[234]<f32>)$/.test(wide)) continue;
    const narrow = wide.replace('f32', 'f16');
    out = inFunctions(out.replace(declaration, `$1${narrow}$3`), (text) =>
      shadows(text, name) ? text : convert(text, name, wide, narrow),
    );
    changed = true;
  }
  if (!changed) return source;
  return /^enable f16;/m.test(out) ? out : `enable f16;\n${out}`;
}

/** Applies `change` to each function, parameters included. */
function inFunctions(source: string, change: (text: string) => string): string {
  let out = '';
  let from = 0;
  const head = /\bfn\s+\w+\s*\(/g;
  for (let m = head.exec(source); m; m = head.exec(source)) {
    const end = closing(source, source.indexOf('{', m.index)) + 1;
    out += source.slice(from, m.index) + change(source.slice(m.index, end));
    from = end;
    head.lastIndex = end;
  }
  return out + source.slice(from);
}

/** Whether a function has a parameter or a local of the name. */
const shadows = (text: string, name: string): boolean =>
  new RegExp(`\\b(?:let|var|const)\\s+${name}\\b|[(,]\\s*(?:@\\w+\\([^)]*\\)\\s*)?${name}\\s*:`).test(text);

/** Casts at every access `name[...]`: loads to `wide`, stores to `narrow`. */
function convert(text: string, name: string, wide: string, narrow: string): string {
  const access = new RegExp(`(?<![\\w.])${name}\\s*\\[`, 'g');
  const inner = (part: string) => convert(part, name, wide, narrow);
  let out = '';
  let from = 0;
  for (let m = access.exec(text); m; m = access.exec(text)) {
    const open = m.index + m[0].length - 1;
    const close = closing(text, open);
    const place = `${name}[${inner(text.slice(open + 1, close))}]`;
    const store = /^\s*(\.\w+|\[[^\]]*\])?\s*([-+*/]?)=(?!=)/.exec(text.slice(close + 1));
    out += text.slice(from, m.index);
    if (store) {
      const [head, part = '', operator] = store;
      const start = close + 1 + head.length;
      from = text.indexOf(';', start);
      const value = inner(text.slice(start, from)).trim();
      const [to, whole] = part ? ['f16', 'f32'] : [narrow, wide];
      out += `${place}${part} = ${to}(${operator ? `${whole}(${place}${part}) ${operator} (${value})` : value})`;
    } else {
      from = close + 1;
      out += `${wide}(${place})`;
    }
    access.lastIndex = from;
  }
  return out + text.slice(from);
}
