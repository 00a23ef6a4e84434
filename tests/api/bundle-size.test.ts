// Sizes and modules of Vite's bundles of pages that use a part of the library.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Rolldown } from 'vite';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const wgsl = readdirSync(join(root, 'shaders'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.wgsl'))
  .map((path) => readFileSync(join(root, 'shaders', path), 'utf8'))
  .join('\n');

/**
 * The minified size, in kB, and the modules of what a page that runs `code` loads at first; a later import()
 * is a file of its own, whose size `size` tells.
 */
async function bundle(code: string): Promise<{
  kB: number;
  modules: Record<string, number>;
  size: (chunk: string) => number;
  textOf: (chunk: string) => string;
}> {
  const entry = '\0page';
  const output = (await build({
    root,
    mode: 'modules',
    logLevel: 'silent',
    build: {
      ssr: false,
      write: false,
      minify: true,
      sourcemap: false,
      rolldownOptions: {
        input: entry,
        preserveEntrySignatures: false,
        output: { preserveModules: false, entryFileNames: 'page.js' },
      },
    },
    plugins: [
      {
        name: 'page',
        enforce: 'pre',
        resolveId: (id) => (id === entry ? id : id === 'heddle' ? join(root, 'src/index.ts') : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
    ],
  })) as Rolldown.RolldownOutput;
  const all = output.output.filter((file) => file.type === 'chunk');
  const first = new Set(['page.js']);
  for (const name of first)
    for (const next of all.find((c) => c.fileName === name)?.imports ?? []) first.add(next);
  const chunks = all.filter(({ fileName }) => first.has(fileName));
  const modules = Object.fromEntries(
    chunks.flatMap((chunk) =>
      Object.entries(chunk.modules).map(([id, { renderedLength }]) => [
        id.replace(`${root}/`, ''),
        renderedLength,
      ]),
    ),
  );
  const kB = chunks.reduce((n, chunk) => n + chunk.code.length, 0) / 1000;
  const textOf = (name: string) => all.find((chunk) => chunk.name === name)?.code ?? '';
  /** The kB that an import() of a chunk loads, with the chunks that it needs and the page does not have. */
  const size = (name: string) => {
    const later = new Set(all.flatMap((chunk) => (chunk.name === name ? [chunk.fileName] : [])));
    for (const file of later)
      for (const next of all.find((c) => c.fileName === file)?.imports ?? [])
        if (!first.has(next)) later.add(next);
    return all.reduce((n, { fileName, code }) => n + (later.has(fileName) ? code.length : 0), 0) / 1000;
  };
  return { kB, modules, size, textOf };
}

const programs = {
  train:
    "import { train } from 'heddle'; const m = await train([{ source: 'a', target: 'b' }]); document.title = await m.translate('a');",
  bleu: "import { corpusBleu } from 'heddle'; console.log(corpusBleu(['a'], ['a']).score);",
  translate:
    "import { loadModel } from 'heddle'; const m = await loadModel('m'); document.title = await m.translate('a');",
};

describe('a bundle', () => {
  it('of BLEU has BLEU only', async () => {
    const { kB, modules } = await bundle(programs.bleu);
    console.log(`BLEU: ${kB} kB`);
    expect(
      Object.keys(modules).filter((id) => !/^src\/(text\/metrics\/|core\/errors)|page$/.test(id)),
    ).toEqual([]);
    expect(kB).toBeLessThan(4);
  });

  it('of training has no report page, command or host', async () => {
    const { kB, modules } = await bundle(programs.train);
    console.log(`train: ${kB} kB`);
    expect(kB).toBeLessThan(407);
    expect(Object.keys(modules).filter((id) => /^src\/(bench|host|commands)\//.test(id))).toEqual([]);
  });

  it('of translating has no trainer, report or command', async () => {
    const { kB, modules, size, textOf } = await bundle(programs.translate);
    // The file of the shaders has their text and the code that composes and compiles it; only texts are that
    // long.
    const compiling = textOf('shaders').replace(/`[^`]{200,}`/g, '').length / 1000;
    const tuning = size('stored-tuning');
    const tokenizer = size('trained-tokenizer');
    const format = size('heddle');
    console.log(
      `translate: ${kB} kB, later ${format} kB for heddle's format, ${tokenizer} kB for the tokenizer, ${compiling} kB to compile shaders, ${tuning} kB to tune kernels`,
    );
    expect(kB).toBeLessThan(140);
    expect(format).toBeGreaterThan(1);
    expect(compiling).toBeGreaterThan(1);
    expect(tokenizer).toBeGreaterThan(1);
    // 158 kB until a source could be frames: what a source is, and the calls that load the code of speech. The
    // code of heddle's format is a file of its own, which adds 1 kB.
    expect(kB + compiling + tokenizer + format, 'all code of a first translation').toBeLessThan(166);
    const marks = (text: string) => text.match(/\/\/ unroll\b/g)?.length ?? 0;
    expect(marks(textOf('shaders')), 'marks of loops to unroll').toBe(marks(wgsl));
    const needless =
      /^src\/(train\/(?!run\/evaluation)|bench|host|commands|engine\/cpu)\/|-(gradients|references|backward)\.ts|lora|quantized|^src\/audio\/|frame-stems|ops\/frames|speech/;
    expect(Object.keys(modules).filter((id) => needless.test(id))).toEqual([]);
  });
});
