// The shaders of shaders/, composed from WGSL files by their include lines, and those of users' own ops. Import it with
// import() in what pages load first: it holds the text of all shaders.

import type { ShaderSource } from '../ops/op.ts';
import { hash, shaderKey } from './shader-key.ts';
import { type Declarations, declarations } from './wgsl.ts';

/** A shader, ready to compile. */
export interface Shader extends Declarations {
  readonly name: string;
  /** Differs between shaders that differ, even if users gave them one name. */
  readonly key: string;
  readonly source: string;
}

/** Shaders composed from WGSL files. */
export interface ShaderLibrary {
  /** Names of all shaders, each variant by itself. */
  readonly names: readonly string[];
  /** Paths of the files that a shader consists of, the kernel's own first. Throws if the name is unknown. */
  pathsOf(name: string): string[];
  /** The WGSL of a shader by name, or of a user's own with its includes. Throws if a file is missing. */
  sourceOf(shader: string | ShaderSource): string;
}

/**
 * The shaders of `files`, path -> WGSL. A kernel is a file that no other includes; its shader has its stem as its name.
 * The line `// include a.wgsl` appends a file, once. The line `// include a.wgsl | scalar: b.wgsl` in x.wgsl appends
 * a.wgsl in the shader `x`, and b.wgsl in its variant `x-scalar`. Names of variants may have hyphens.
 */
export function shaderLibrary(files: ReadonlyMap<string, string>): ShaderLibrary {
  const textOf = (path: string): string => {
    const text = files.get(path);
    if (text === undefined) throw new Error(`shader: there is no shaders/${path}`);
    return text;
  };

  /** Paths that the include lines of a text reach, for one variant. */
  const reach = (text: string, variant: string, found = new Set<string>()): Set<string> => {
    for (const choices of includesOf(text)) {
      const path = choices.get(variant) ?? choices.get('') ?? '';
      if (found.has(path)) continue;
      found.add(path);
      reach(textOf(path), variant, found);
    }
    return found;
  };

  const included = new Set([...files.values()].flatMap((text) => includesOf(text).flatMap((c) => [...c.values()])));
  const kernels = new Map<string, { path: string; variant: string }>();
  for (const path of files.keys()) {
    if (included.has(path)) continue;
    const stem = path.replace(/^.*\/|\.wgsl$/g, '');
    for (const variant of variantsOf(path, textOf))
      kernels.set(variant ? `${stem}-${variant}` : stem, { path, variant });
  }

  const pathsOf = (name: string): string[] => {
    const kernel = kernels.get(name);
    if (!kernel) throw new Error(`shader: there is no ${name} in shaders/`);
    return [kernel.path, ...reach(textOf(kernel.path), kernel.variant)];
  };
  return {
    names: [...kernels.keys()],
    pathsOf,
    sourceOf(shader) {
      if (typeof shader === 'string') return directivesFirst(pathsOf(shader).map(textOf).join('\n'));
      return [shader.source, ...[...reach(shader.source, '')].map(textOf)].join('\n');
    },
  };
}

/** A text with its directives, which an included file may have too, at the top, where WGSL requires them. */
function directivesFirst(text: string): string {
  const directive = /^(enable \w+|diagnostic\([^)]*\));\n/gm;
  return [...new Set(text.match(directive)), text.replace(directive, '')].join('');
}

/** The include lines of a text: variant -> path; '' is the default. */
const includesOf = (text: string): ReadonlyMap<string, string>[] =>
  [...text.matchAll(/^\/\/ include (.+)$/gm)].map(
    ([, line = '']) =>
      new Map(
        line.split(' | ').map((choice) => [/^([\w-]+): /.exec(choice)?.[1] ?? '', choice.replace(/^[\w-]+: /, '')]),
      ),
  );

/** The variants of a kernel: those that its include lines name, and '' unless a line has no default. */
function variantsOf(path: string, textOf: (path: string) => string): string[] {
  const reached = new Set([path]);
  const lines: ReadonlyMap<string, string>[] = [];
  for (const file of reached)
    for (const choices of includesOf(textOf(file))) {
      lines.push(choices);
      for (const next of choices.values()) reached.add(next);
    }
  const all = new Set(['', ...lines.flatMap((choices) => [...choices.keys()])]);
  return [...all].filter((variant) => lines.every((choices) => choices.has(variant) || choices.has('')));
}

const texts: Record<string, string> = import.meta.glob('../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** The WGSL files of shaders/, path in that folder -> text. The build inlines them. */
const files = new Map(Object.entries(texts).map(([path, text]) => [path.replace('../../shaders/', ''), text]));

/** The shaders of shaders/. */
export const builtInShaders = shaderLibrary(files);

const known = new Map<string, Shader>();

/**
 * The shader of a name or of a user's own source. Throws if a file is missing, or Params has a field that is not a
 * scalar.
 */
export function shaderOf(shader: string | ShaderSource): Shader {
  const key = shaderKey(shader);
  let found = known.get(key);
  if (!found) {
    const source = builtInShaders.sourceOf(shader);
    found = { name: typeof shader === 'string' ? shader : shader.name, key, source, ...declarations(source) };
    known.set(key, found);
  }
  return found;
}

/** A hash of all shader files: kernel timings that were measured with other files are not valid. */
export const shaderHash = (): string => hash([...files].sort(([a], [b]) => (a < b ? -1 : 1)).flat());
