// Holds the project's shape: which folder may import from which, where GPU objects are made, and that ops, shaders and tests belong
// together. The order of the folders is the one statement of it in code; ARCHITECTURE.md says why.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What is in src/, each after what it may import from; those on one line stand side by side and may import each other. */
const ORDER = [
  ['errors.ts', 'json.ts', 'tensor.ts', 'random.ts', 'float16.ts'],
  ['text'],
  ['metrics'],
  ['ops'],
  ['graph'],
  ['model'],
  ['plan'],
  ['cpu'],
  ['gpu'],
  ['engine.ts'],
  ['train', 'decode', 'formats', 'hub', 'host'],
  ['report'],
  ['jobs'],
  ['cli'],
];

/** Where a build starts: these may import from every folder. */
const ENTRIES = ['src/index.ts', 'src/headless.ts', 'src/host/page.ts'];

/** Packages that the library itself, in a page as in Node, may import. */
const LIBRARY_PACKAGES = ['@huggingface/tokenizers'];

const TOP_LEVEL = [
  '.ci .editorconfig .gitignore .puppeteerrc.cjs biome.json package.json package-lock.json',
  'tsconfig.json tsconfig.build.json vite.config.ts vitest.config.ts',
  'README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE docs',
  'src shaders tests bench demo scripts',
].flatMap((line) => line.split(' '));
const UNTRACKED = ['.git', 'node_modules', 'dist', 'runs', 'coverage'];

/** The files under a folder, as paths from the root with forward slashes. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const sources = filesUnder('src').filter((path) => path.endsWith('.ts'));
const shaders = filesUnder('shaders');
const tests = filesUnder('tests').filter((path) => path.endsWith('.test.ts'));

/** What a file imports, types included: relative ones as paths from the root, packages as they stand. */
function importsOf(path: string): string[] {
  const found = read(path).matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g);
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(path), name)).replaceAll('\\', '/') : name,
  );
}

const tierOf = (path: string) => ORDER.findIndex((names) => names.includes(path.split('/')[1] ?? ''));

it('has a place in the order for all of src/', () => {
  expect(sources.filter((path) => tierOf(path) < 0 && !ENTRIES.includes(path))).toEqual([]);
});

it('imports only from what is earlier in the order', () => {
  const wrong = sources
    .filter((path) => !ENTRIES.includes(path))
    .flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith('src/') && (tierOf(name) > tierOf(path) || ENTRIES.includes(name)))
        .map((name) => `${path} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});

it('imports nothing outside src/ but packages, except the version, and the benchmark for its job', () => {
  const wrong = sources.flatMap((path) =>
    importsOf(path)
      .filter((name) => /^(\.\.|tests|bench|scripts|demo)\b/.test(name))
      .filter((name) => !(path === 'src/jobs/bench.ts' && name.startsWith('bench/')))
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

it('keeps Node, the DOM and foreign packages out of the library', () => {
  const seen = new Set(['src/index.ts']);
  for (const path of seen) for (const name of importsOf(path)) if (name.startsWith('src/')) seen.add(name);
  const wrong = [...seen].flatMap((path) =>
    importsOf(path)
      .filter((name) => !name.startsWith('src/') && name !== 'package.json' && !LIBRARY_PACKAGES.includes(name))
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

it('makes GPU objects in src/gpu alone', () => {
  const making =
    /\.(create(Buffer|ShaderModule|ComputePipeline(Async)?|BindGroup(Layout)?|PipelineLayout|CommandEncoder|QuerySet)|requestDevice)\(/;
  expect(sources.filter((path) => !path.startsWith('src/gpu/') && making.test(read(path)))).toEqual([]);
});

it('has a shader and a test for each op', () => {
  const defines = (path: string) =>
    path.startsWith('src/ops/') && /^export const (?!defineOp)\w+Op\b.* =/m.test(read(path));
  const ops = sources.filter(defines);
  expect(ops).toContain('src/ops/optimizers.ts');
  // `shader: 'x'`, `shaderFor('x', cols)`, `shaders = { f16: 'x', ... }`, `launch('x', ...)`: not any word that is a shader's too.
  const naming = /\b(?:shader: |shaderFor\(|shaders = \{ \w+: |launch\()'([\w-]+)'/g;
  const opTests = tests.filter((path) => path.startsWith('tests/ops/'));
  const tested = new Set(opTests.flatMap(importsOf));
  const lacking = ops.flatMap((path) => {
    const stem = path.slice('src/ops/'.length, -'.ts'.length);
    const helpers = importsOf(path).filter((name) => name.startsWith('src/ops/') && !defines(name));
    const named = [path, ...helpers].flatMap((file) => [...read(file).matchAll(naming)].map((m) => m[1]));
    const hasShader = named.some((name) => shaders.includes(`shaders/${name}.wgsl`));
    // A test file of one stem covers what starts with it: layer-norm.gpu.test.ts, layer-norm-backward.ts.
    const hasTest =
      tested.has(path) || opTests.some((test) => stem.startsWith(test.slice('tests/ops/'.length).split('.')[0] ?? ''));
    return [
      ...(hasShader ? [] : [`${path} names no shader`]),
      ...(hasTest ? [] : [`${path} has no test in tests/ops`]),
    ];
  });
  expect(lacking).toEqual([]);
});

it('uses each shader, and each shader library', () => {
  const text = [...sources, ...shaders].map(read).join('\n');
  const unused = shaders.filter((path) => {
    // x-odd stands in for x where rows do not divide by four.
    const stem = path.slice('shaders/'.length, -'.wgsl'.length).replace(/-odd$/, '');
    return !text.includes(stem.startsWith('lib/') ? `// include ${stem}.wgsl` : `'${stem}'`);
  });
  expect(unused).toEqual([]);
});

it('keeps shaders under 200 lines and free of anything but WGSL', () => {
  expect(shaders.filter((path) => !path.endsWith('.wgsl'))).toEqual([]);
  expect(shaders.filter((path) => read(path).split('\n').length > 200)).toEqual([]);
});

it('opens each file of src/ and shaders/ with what it is', () => {
  const bare = [...sources, ...shaders].filter((path) => !/^(#!.*\n)?(\/\/|\/\*)/.test(read(path)));
  expect(bare).toEqual([]);
});

it('has at the top only what belongs there', () => {
  const stray = readdirSync(root).filter((name) => !TOP_LEVEL.includes(name) && !UNTRACKED.includes(name));
  expect(stray).toEqual([]);
});
