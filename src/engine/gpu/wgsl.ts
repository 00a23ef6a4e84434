// Reads the declarations of a WGSL source: bindings, the Params struct and the variables that an entry point
// uses. Bind group layouts are made from them. Not a full parser of WGSL: it reads plain declarations,
// without templates or nested structs. Also sets consts and evaluates integer expressions.

/** A module-scope binding. */
export interface Binding {
  readonly name: string;
  readonly group: number;
  readonly binding: number;
  readonly type: GPUBufferBindingType;
  /** The WGSL type, `array<f32>` or `Params`. */
  readonly wgslType: string;
}

/**
 * One 32-bit scalar of the Params struct; the scalars of an `x: array<vec4<u32>, N>` are x0, x1 and so on.
 */
export interface Field {
  readonly name: string;
  readonly type: 'u32' | 'i32' | 'f32';
}

/** The declarations of a shader. */
export interface Declarations {
  readonly bindings: readonly Binding[];
  readonly params: readonly Field[];
  /** Names of `override`s, and of module-scope `const`s of a plain number. */
  readonly overrides: ReadonlySet<string>;
  readonly consts: ReadonlySet<string>;
  /** Entry point -> the bindings it uses, directly or through functions. */
  readonly entries: ReadonlyMap<string, readonly Binding[]>;
}

/** Removes the comments of a source. */
export const withoutComments = (source: string): string => source.replace(/\/\/[^\n]*/g, '');

/** Index of the bracket that closes the `{`, `[` or `(` at `open`. Throws if there is none. */
export function closing(text: string, open: number): number {
  const left = text[open];
  const right = left === '{' ? '}' : left === '[' ? ']' : ')';
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === left) depth++;
    if (text[i] === right && --depth === 0) return i;
  }
  throw new Error(`shader: ${left} is not closed`);
}

/** Reads the declarations of `source` (includes resolved). */
export function declarations(source: string): Declarations {
  const code = withoutComments(source);
  const bindings: Binding[] = [];
  for (const m of code.matchAll(
    /@group\((\d+)\)\s*@binding\((\d+)\)\s*var<([^>]*)>\s*(\w+)\s*:\s*([^;]+);/g,
  )) {
    const [, group, binding, space = '', name = '', wgslType = ''] = m;
    const type = space.startsWith('uniform')
      ? 'uniform'
      : space.includes('read_write')
        ? 'storage'
        : 'read-only-storage';
    bindings.push({ name, group: Number(group), binding: Number(binding), type, wgslType: wgslType.trim() });
  }
  const struct = /struct\s+Params\s*\{([^}]*)\}/.exec(code)?.[1] ?? '';
  const fields = /(\w+)\s*:\s*(?:array<vec4<(\w+)>,\s*(\d+)>|(\w+))/g;
  const params = [...struct.matchAll(fields)].flatMap(
    ([, name = '', scalar, vecs, type = scalar]): Field[] => {
      if (type !== 'u32' && type !== 'i32' && type !== 'f32')
        throw new Error(`shader: Params.${name} is ${type}, not a scalar`);
      return vecs
        ? Array.from({ length: 4 * Number(vecs) }, (_, i) => ({ name: `${name}${i}`, type }))
        : [{ name, type }];
    },
  );
  const names = (pattern: RegExp) => new Set([...code.matchAll(pattern)].map((m) => m[1] ?? ''));
  const functions = readFunctions(code);
  const entries = new Map<string, Binding[]>();
  for (const f of functions.values()) {
    if (!f.entry) continue;
    const used = reachable(f.name, functions);
    entries.set(
      f.name,
      bindings.filter((b) => used.has(b.name)),
    );
  }
  return {
    bindings,
    params,
    overrides: names(/override\s+(\w+)/g),
    consts: names(/^const\s+(\w+)\s*(?::\s*\w+)?\s*=\s*[\d.]+[ufi]?\s*;/gm),
    entries,
  };
}

interface WgslFunction {
  readonly name: string;
  readonly entry: boolean;
  readonly words: ReadonlySet<string>;
}

function readFunctions(code: string): Map<string, WgslFunction> {
  const functions = new Map<string, WgslFunction>();
  for (const m of code.matchAll(/((?:@\w+(?:\([^)]*\))?\s*)*)\bfn\s+(\w+)\s*\(/g)) {
    const from = m.index + m[0].length;
    const text = code.slice(from, closing(code, code.indexOf('{', from)));
    const words = new Set(text.match(/(?<![.\w])[A-Za-z_]\w*/g));
    // A parameter or local hides the module variable of its name.
    for (const [, local, parameter] of text.matchAll(/\b(?:let|var|const)\s+(\w+)|(\w+)\s*:/g))
      words.delete(local ?? parameter ?? '');
    functions.set(m[2] ?? '', { name: m[2] ?? '', entry: (m[1] ?? '').includes('@compute'), words });
  }
  return functions;
}

/** All words in a function and in the functions that it calls. */
function reachable(name: string, functions: ReadonlyMap<string, WgslFunction>): Set<string> {
  const words = new Set<string>();
  const queue = [name];
  for (let f = queue.pop(); f !== undefined; f = queue.pop())
    for (const w of functions.get(f)?.words ?? []) {
      if (words.has(w)) continue;
      words.add(w);
      if (functions.has(w)) queue.push(w);
    }
  return words;
}

/** Replaces the number in each module-scope `const NAME = number;` by `values[NAME]`. */
export function replaceConsts(source: string, values: Readonly<Record<string, number>>): string {
  let out = source;
  for (const [name, value] of Object.entries(values))
    out = out.replace(
      new RegExp(`^(const\\s+${name}\\s*(?::\\s*(\\w+))?\\s*=\\s*)[\\d.]+([ufi]?)\\s*;`, 'm'),
      `$1${value}$3;`,
    );
  return out;
}

/**
 * Evaluates an integer expression of u32 literals, names, + - * / (rounded down) and parentheses, such as the
 * size of a const or of a grid. Returns NaN for any other expression.
 *
 * @example
 * evaluate('(N + 15) / 16', new Map([['N', 100]])); // 7
 */
export function evaluate(expression: string, names: ReadonlyMap<string, number>): number {
  const tokens = expression.match(/\w+|[()+*/-]/g) ?? [];
  let at = 0;
  const sum = (): number => {
    let x = product();
    while (tokens[at] === '+' || tokens[at] === '-') x = tokens[at++] === '+' ? x + product() : x - product();
    return x;
  };
  const product = (): number => {
    let x = atom();
    while (tokens[at] === '*' || tokens[at] === '/')
      x = tokens[at++] === '*' ? x * atom() : Math.floor(x / atom());
    return x;
  };
  const atom = (): number => {
    const token = tokens[at++] ?? '';
    if (token === '(') {
      const x = sum();
      at++;
      return x;
    }
    return /^\d+u?$/.test(token) ? Number.parseInt(token, 10) : (names.get(token) ?? Number.NaN);
  };
  const value = sum();
  return at < tokens.length || /[^\w\s()+*/-]/.test(expression) ? Number.NaN : value;
}
