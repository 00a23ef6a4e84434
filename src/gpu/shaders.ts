// The WGSL files of shaders/, with their includes, as the build has inlined them.

import { type Declarations, declarations } from './wgsl.ts';

const files: Record<string, string> = import.meta.glob('../../shaders/**/*.wgsl', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** A shader ready to compile. */
export interface Shader extends Declarations {
  readonly name: string;
  readonly source: string;
}

/** Where the files lie as seen from this one, which holds whatever the root of a build is. */
const folder = '../../shaders/';

const known = new Map<string, Shader>();

/** Stems of the shaders in shaders/ (lib/ left out). */
export const shaderNames = (): string[] =>
  Object.keys(files)
    .filter((path) => !path.includes('/lib/'))
    .map((path) => path.replace(folder, '').replace('.wgsl', ''));

/** The shader of a stem, with what its `// include lib/x.wgsl` lines name appended once each. */
export function shaderOf(name: string): Shader {
  let shader = known.get(name);
  if (!shader) {
    const source = withIncludes(name);
    shader = { name, source, ...declarations(source) };
    known.set(name, shader);
  }
  return shader;
}

/** A hash of all shader sources: what was measured with others says nothing of these. */
export function shaderHash(): string {
  let h = 0x811c9dc5;
  for (const path of Object.keys(files).sort())
    for (const text of [path, files[path] ?? ''])
      for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return h.toString(16).padStart(8, '0');
}

function withIncludes(name: string): string {
  const parts: string[] = [];
  const seen = new Set<string>();
  const visit = (stem: string) => {
    if (seen.has(stem)) return;
    seen.add(stem);
    const text = files[`${folder}${stem}.wgsl`];
    if (text === undefined) throw new Error(`shader: there is no shaders/${stem}.wgsl`);
    parts.push(text);
    for (const m of text.matchAll(/^\/\/ include (\S+)\.wgsl$/gm)) visit(m[1] ?? '');
  };
  visit(name);
  return parts.join('\n');
}
