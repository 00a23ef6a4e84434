// Shaders: those of shaders/, composed from WGSL files by include lines and conditions, and those of users'
// ops.

import type { ShaderSource } from '../ops/op.ts';
import { storeAsF16 } from './f16-bindings.ts';
import { hash, shaderKey } from './shader-key.ts';
import { unroll } from './unroll.ts';
import { closing, type Declarations, declarations, replaceConsts } from './wgsl.ts';

/** A shader, ready to compile. */
export interface Shader extends Declarations {
  readonly name: string;
  /** Unique key; two sources of one name have different keys. */
  readonly key: string;
  readonly source: string;
}

/** Shaders that are composed from WGSL files. */
export interface ShaderLibrary {
  /** Names of all shaders, variants such as `x-scalar` included. */
  readonly names: readonly string[];
  /** Paths of the files that a shader consists of, the kernel's own first. Throws if the name is unknown. */
  pathsOf(name: string): string[];
  /** The WGSL of a shader by name, or of a user's own with its includes. Throws if a file is missing. */
  sourceOf(shader: string | ShaderSource): string;
}

/**
 * The shaders of `files`, path -> WGSL. A kernel is a file that no other includes; its shader has its stem as
 * its name. The line `// include a.wgsl` appends a file, once. Declarations may have conditions,
 * `@if(scalar)`, `@elif(f16)` and `@else`, as in WESL: the shader `x-scalar` has the declarations after
 * `@if(scalar)`, `x` has those after `@else`. There is a shader for each subset of the conditions in a
 * kernel's files: `x`, `x-f16`, `x-f16-scalar`, `x-scalar`; but conditions of an `@if` and its `@elif`s
 * exclude each other. `@each(a, b)` makes a copy of a declaration for each name.
 */
export function shaderLibrary(files: ReadonlyMap<string, string>): ShaderLibrary {
  const textOf = (path: string): string => {
    const text = files.get(path);
    if (text === undefined) throw new Error(`shader: there is no shaders/${path}`);
    return text;
  };

  /** Paths that the include lines of a text reach. */
  const reach = (text: string, paths = new Set<string>()): Set<string> => {
    for (const path of includesOf(text)) {
      if (paths.has(path)) continue;
      paths.add(path);
      reach(textOf(path), paths);
    }
    return paths;
  };

  const included = new Set([...files.values()].flatMap(includesOf));
  const kernels = new Map<string, { path: string; conditions: ReadonlySet<string> }>();
  for (const [path, text] of files) {
    if (included.has(path)) continue;
    const stem = path.replace(/^.*\/|\.wgsl$/g, '');
    const chains = [text, ...[...reach(text)].map(textOf)].flatMap(chainsOf);
    const together = (set: readonly string[]) =>
      chains.every((chain) => set.filter((name) => chain.includes(name)).length < 2);
    for (const conditions of subsets([...new Set(chains.flat())].sort()).filter(together))
      kernels.set([stem, ...conditions].join('-'), { path, conditions: new Set(conditions) });
  }

  const kernelFile = (name: string) => {
    const kernel = kernels.get(name);
    if (!kernel) throw new Error(`shader: there is no ${name} in shaders/`);
    return kernel;
  };
  const pathsOf = (name: string): string[] => {
    const { path } = kernelFile(name);
    return [path, ...reach(textOf(path))];
  };
  return {
    names: [...kernels.keys()],
    pathsOf,
    sourceOf(shader) {
      if (typeof shader === 'string') {
        const text = pathsOf(shader).map(textOf).join('\n');
        return directivesFirst(withConditions(withCopies(text), kernelFile(shader).conditions));
      }
      const text = [shader.source, ...[...reach(shader.source)].map(textOf)].join('\n');
      return withConditions(withCopies(text), new Set());
    },
  };
}

/** The paths of the include lines of a text. */
const includesOf = (text: string): string[] =>
  [...text.matchAll(/^\/\/ include (.+)$/gm)].map(([, path = '']) => path);

/** The names in the conditions of a text: those of each `@if` with its `@elif`s. */
const chainsOf = (text: string): string[][] =>
  after(text, /^@if\(/m).map((part) =>
    [part, ...after(part, /^@elif\(/m)].map((rest) => rest.slice(0, rest.indexOf(')'))),
  );

/** The parts of a text that follow a mark. */
const after = (text: string, mark: RegExp): string[] => text.split(mark).slice(1);

/** All subsets of a list, in its order, the empty one first. */
const subsets = (list: readonly string[]): string[][] =>
  list.reduceRight<string[][]>((rest, item) => rest.concat(rest.map((set) => [item, ...set])), [[]]);

/**
 * Resolves the conditions of a text. `@if(x)` at the start of a line keeps the next declaration if x is in
 * `conditions`. `@elif(y)` after that declaration keeps the declaration after it if x is not and y is, `@else`
 * if neither is. Throws at an `@elif` or `@else` without an `@if`.
 */
function withConditions(text: string, conditions: ReadonlySet<string>): string {
  const head = /^@(?:(if|elif)\((\w+)\)|else)\s+/gm;
  let out = '';
  let from = 0;
  let chosen: boolean | undefined;
  for (let m = head.exec(text); m; m = head.exec(text)) {
    const between = text.slice(from, m.index);
    const [start, word = 'else', name = ''] = [head.lastIndex, m[1], m[2]];
    const follows = word !== 'if';
    if (follows && (chosen === undefined || between.trim()))
      throw new Error(`shader: this @${word} follows no @if: ${text.slice(m.index).split('\n')[0]}`);
    const end = declarationEnd(text, start);
    const before: boolean | undefined = follows && chosen;
    const keep: boolean = !before && (word === 'else' || conditions.has(name));
    out += between + (keep ? text.slice(start, end) : '');
    chosen = word === 'else' ? undefined : before || keep;
    from = end;
    head.lastIndex = end;
  }
  return out + text.slice(from);
}

/**
 * Resolves the copies of a text. `@each(a, b)` at the start of a line makes a copy of the next declaration for
 * each name, which replaces EACH in the copy.
 */
function withCopies(text: string): string {
  const head = /^@each\(([\w, ]+)\)\s+/gm;
  let out = '';
  let from = 0;
  for (let m = head.exec(text); m; m = head.exec(text)) {
    const start = m.index + m[0].length;
    const end = declarationEnd(text, start);
    const copies = (m[1] ?? '').split(', ').map((name) => text.slice(start, end).replaceAll('EACH', name));
    out += text.slice(from, m.index) + copies.join('\n');
    from = end;
    head.lastIndex = end;
  }
  return out + text.slice(from);
}

/** The end of the declaration or directive that begins at an index: after its `;`, or the `}` of its body. */
function declarationEnd(text: string, start: number): number {
  const mark = /\/\/[^\n]*|[;{]/g;
  mark.lastIndex = start;
  for (let m = mark.exec(text); m; m = mark.exec(text)) {
    if (m[0] === ';') return mark.lastIndex;
    if (m[0] === '{') return closing(text, m.index) + 1;
  }
  throw new Error(`shader: this declaration has no end: ${text.slice(start).split('\n')[0]}`);
}

/** Moves the directives of a text and of its included files to the top, as WGSL requires. */
function directivesFirst(text: string): string {
  const directive = /^(enable \w+|diagnostic\([^)]*\));\n/gm;
  return [...new Set(text.match(directive)), text.replace(directive, '')].join('');
}

// Ops of guests, row sublayers and optimizers import their kernels themselves, so a page that translates does not load
// them.
const texts: Record<string, string> = import.meta.glob(
  ['../../../shaders/**/*.wgsl', '!../../../shaders/{features,rows,optimizer}/**'],
  { query: '?raw', import: 'default', eager: true },
);

/** The WGSL files of shaders/, path in that folder -> text. The build inlines them. */
const files = new Map(
  Object.entries(texts).map(([path, text]) => [path.replace('../../../shaders/', ''), text]),
);

/** The shaders of shaders/. */
export const builtInShaders = shaderLibrary(files);

const known = new Map<string, Shader>();

/**
 * Returns a shader by name, or that of a user's source. Throws if a file is missing, or Params has a field
 * that is not a scalar.
 */
export function shaderOf(shader: string | ShaderSource): Shader {
  const key = shaderKey(shader);
  let loaded = known.get(key);
  if (!loaded) {
    const source = builtInShaders.sourceOf(shader);
    loaded = {
      name: typeof shader === 'string' ? shader : shader.name,
      key,
      source,
      ...declarations(source),
    };
    known.set(key, loaded);
  }
  return loaded;
}

/** Hash of all shader files. Kernel choices that were stored with another hash are ignored. */
export const shaderHash = (): string => hash([...files].sort(([a], [b]) => (a < b ? -1 : 1)).flat());

/**
 * The WGSL of a shader as it is compiled: consts set, marked loops unrolled, the bindings named in `f16`
 * stored as f16.
 */
export const codeOf = (
  { source }: Shader,
  consts: Readonly<Record<string, number>>,
  f16: readonly string[] = [],
): string => storeAsF16(unroll(replaceConsts(source, consts)), f16);

/**
 * Splits constants by the kind of their declaration. Throws if the shader declares one of them as neither.
 */
export function constantsOf(shader: Shader, constants: Readonly<Record<string, number>>) {
  const overrides: Record<string, number> = {};
  const consts: Record<string, number> = {};
  for (const [key, value] of Object.entries(constants)) {
    if (shader.overrides.has(key)) overrides[key] = value;
    else if (shader.consts.has(key)) consts[key] = value;
    else throw new Error(`shader ${shader.name}: there is no override or const ${key}`);
  }
  return { overrides, consts };
}
