// The structure of the project: the order of imports, where GPU objects are created, and that each op has
// shaders and tests. ARCHITECTURE.md explains the order of the folders.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { packageEntries } from '../scripts/package-entries.mjs';
import { referenceOf } from '../src/engine/cpu/executor.ts';
import { shaderLibrary } from '../src/engine/gpu/shaders.ts';
import type { AnyOp } from '../src/engine/ops/op.ts';
import { launchedKernels } from './support/launched-kernels.ts';

const root = resolve(import.meta.dirname, '..');

/**
 * The rooms of src/ in order, from the ground up: a room imports only from itself and from rooms above it in
 * this list.
 */
const ORDER = [
  'core',
  'files',
  'engine',
  'text',
  'model',
  'decode',
  'formats',
  'session',
  'train',
  'api',
  'features',
  'host',
  'bench',
  'commands',
];

/** The rooms of the main house: text in, text out. It imports no guest (src/features/). */
const MAIN_HOUSE = ORDER.slice(0, ORDER.indexOf('features'));

/** The guests of src/features/, and the guests that each may import (drawn in ARCHITECTURE.md). */
const GUESTS: Readonly<Record<string, readonly string[]>> = {
  corpora: [],
  documents: [],
  speech: [],
  marian: [],
  onnx: [],
  pytorch: [],
  html: [],
  language: ['corpora', 'marian'],
};

/** The folders of src/engine/ in order. Modules directly in the room come after all of them. */
const ENGINE_ORDER = ['ops', 'graph', 'plan', 'cpu', 'gpu'];

/** Entries of the package that run in pages, Node and Deno, by what programs import. */
const PORTABLE_ENTRIES = Object.fromEntries(
  packageEntries
    .filter(({ name }) => !['node', 'headless'].includes(name))
    .map(({ imported, source }) => [imported, source]),
);

/** Files that may import from every folder: the entries, and the parts of `heddle` that bring the guests. */
const isEntry = (path: string) =>
  path.startsWith('src/entries/') || Object.values(PORTABLE_ENTRIES).includes(path);

/** Packages that the library may import, in pages and in Node. */
const LIBRARY_PACKAGES = [
  'virtual:heddle-html-translator', // made by the build
  '@huggingface/tokenizers',
  'papaparse',
  'js-yaml',
  '@noble/hashes/legacy.js',
  '@echogarden/wave-codec',
  'fft.js',
  '@noble/hashes/sha2.js',
  '@noble/hashes/utils.js',
  'saxes',
  'htmlparser2',
  'eld/extrasmall',
];

const TOP_LEVEL = [
  '.ci .github .editorconfig .gitignore .puppeteerrc.cjs biome.json package.json package-lock.json',
  'tsconfig.json tsconfig.build.json typedoc.json vite.config.ts vitest.config.ts',
  'README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md CODE_OF_CONDUCT.md SECURITY.md LICENSE CITATION.cff jsr.json',
  'llms.txt docs',
  'src shaders tests bench demo scripts',
].flatMap((line) => line.split(' '));
const UNTRACKED = ['.git', 'node_modules', 'dist', 'runs', 'coverage'];

/** The files under a folder, as paths from the root with forward slashes. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\/(?:node_modules|\.vite)(?:\/|$)/.test(entry.parentPath))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const sources = filesUnder('src').filter((path) => path.endsWith('.ts'));
const shaders = filesUnder('shaders');
const tests = filesUnder('tests').filter((path) => path.endsWith('.test.ts'));

/** What a file imports, types included: relative ones as paths from the root, packages as written. */
function importsOf(path: string): string[] {
  const found = read(path).matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g);
  return [...found].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, resolve(root, dirname(path), name)).replaceAll('\\', '/') : name,
  );
}

/** The room of a file. `bench/` and `commands/` of a guest's folder are of the rooms with these names. */
const roomOf = (path: string) =>
  /^src\/features\/\w+\/(bench|commands)\//.exec(path)?.[1] ?? path.split('/')[1] ?? '';
const isOfCommands = (path: string) => path.startsWith('src/') && roomOf(path) === 'commands';

/** The place of a file in the order. */
const tierOf = (path: string) => ORDER.indexOf(roomOf(path));
const floorOf = (path: string) => {
  const folder = path.split('/')[2] ?? '';
  return folder.endsWith('.ts') ? ENGINE_ORDER.length : ENGINE_ORDER.indexOf(folder);
};

it('orders all folders of src/', () => {
  expect(sources.filter((path) => tierOf(path) < 0 && !isEntry(path))).toEqual([]);
});

it('imports only from folders that come before in the order', () => {
  const wrong = sources
    .filter((path) => !isEntry(path))
    .flatMap((path) =>
      importsOf(path)
        .filter((name) => name.startsWith('src/') && (tierOf(name) > tierOf(path) || isEntry(name)))
        .map((name) => `${path} imports ${name}`),
    );
  expect(wrong).toEqual([]);
});

const guestOf = (path: string) => (path.startsWith('src/features/') ? path.split('/')[2] : undefined);
const importsGuest = (path: string, name: string) =>
  MAIN_HOUSE.includes(path.split('/')[1] ?? '') && guestOf(name) !== undefined;

it('imports no guest in the main house, types included', () => {
  const found = sources.flatMap((path) =>
    importsOf(path)
      .filter((name) => importsGuest(path, name))
      .map((name) => `${path} imports ${name}`),
  );
  expect(found).toEqual([]);
});

/**
 * The files that load code on demand, by import(): tables, whose rows say what needs it, and optional npm packages.
 * Commands are loaded by their own table. Nothing else is loaded lazily.
 */
const LOADING_FILES = [
  'src/api/load-model.ts', // models of the hub and of URLs, ensembles, adapters, quantized weights
  'src/api/model-engine.ts', // inspection, adapters that are switched
  'src/api/model.ts', // methods that few programs call
  'src/decode/translator.ts', // alignments, constraints on the first tokens
  'src/features/documents/document-formats.ts',
  'src/features/documents/pairs/pair-readers.ts',
  'src/features/features.ts', // the guests
  'src/features/onnx/engine-without-gpu.ts', // npm: onnxruntime-web
  'src/formats/main-formats.ts',
  'src/host/optional-package.ts', // npm: webgpu, puppeteer-core, onnxruntime-web
  'src/session/launch-code.ts', // fused sublayers, which a host may have
  'src/session/named-engines.ts',
  'src/text/open-tokenizer.ts', // kinds of tokenizers
  'src/text/text-tasks.ts', // jobs of a worker
  'src/train/run/logbook.ts', // the report of a run that saves
].filter((path) => existsSync(join(root, path))); // a copy may have fewer guests

it('loads code on demand only by tables', () => {
  const found = sources.filter((path) => {
    if (path.startsWith('src/commands/') || /^src\/features\/\w+\/commands\//.test(path)) return false;
    const code = read(path).replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, '');
    return /(?<!typeof )\bimport\(/.test(code);
  });
  expect(LOADING_FILES.length).toBeLessThanOrEqual(15);
  expect(found).toEqual([...LOADING_FILES].sort());
});

it('imports in a guest only the guests that ARCHITECTURE.md draws', () => {
  const wrong = sources.flatMap((path) => {
    const guest = guestOf(path);
    if (guest === undefined || guest.endsWith('.ts')) return [];
    return importsOf(path)
      .filter((name) => ![undefined, guest, ...(GUESTS[guest] ?? [])].includes(guestOf(name)))
      .map((name) => `${path} imports ${name}`);
  });
  expect(wrong).toEqual([]);
});

it('orders the folders of src/engine/', () => {
  const inside = sources.filter((path) => path.startsWith('src/engine/'));
  expect(inside.filter((path) => floorOf(path) < 0)).toEqual([]);
  const wrong = inside.flatMap((path) =>
    importsOf(path)
      .filter((name) => name.startsWith('src/engine/') && floorOf(name) > floorOf(path))
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

it('imports nothing from outside src/ except packages and the version', () => {
  const wrong = sources.flatMap((path) =>
    importsOf(path)
      .filter((name) => /^(\.\.|tests|bench|scripts|demo)\b/.test(name))
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

/**
 * Groups of nodes that import each other, directly or through others (Tarjan's strongly connected
 * components).
 */
function cycles(nodes: readonly string[], next: (node: string) => Iterable<string>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): void => {
    const mine = index.size;
    index.set(node, mine);
    low.set(node, mine);
    stack.push(node);
    for (const other of next(node)) {
      if (!index.has(other)) visit(other);
      if (stack.includes(other)) low.set(node, Math.min(low.get(node) ?? 0, low.get(other) ?? 0));
    }
    if (low.get(node) !== mine) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) found.push(group.sort());
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return found;
}

const code = ['src', 'bench', 'demo']
  .flatMap(filesUnder)
  .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes('node_modules'));

it('finds cycles', () => {
  const graph: Record<string, string[]> = { a: ['b'], b: ['c'], c: ['b'], d: ['a'] };
  expect(cycles(Object.keys(graph), (node) => graph[node] ?? [])).toEqual([['b', 'c']]);
});

it('has no import cycles between files, types included', () => {
  const next = (path: string) => importsOf(path).filter((name) => code.includes(name));
  expect(cycles(code, next)).toEqual([]);
});

it('has no import cycles between folders', () => {
  // A guest is one folder. Its commands and its bench belong to those rooms.
  const folderOf = (path: string) =>
    /^src\/features\/\w+\/(?:commands|bench)\//.test(path)
      ? `src/${roomOf(path)}`
      : (/^src\/features\/\w+(?=\/)/.exec(path)?.[0] ?? dirname(path));
  const folders = [...new Set(code.map(folderOf))];
  const next = (folder: string) =>
    new Set(
      code
        .filter((path) => folderOf(path) === folder)
        .flatMap(importsOf)
        .filter((name) => code.includes(name) && folderOf(name) !== folder)
        .map(folderOf),
    );
  expect(cycles(folders, next)).toEqual([]);
});

it('does not import the command line in demo', () => {
  const pages = code.filter((path) => path.startsWith('demo/'));
  expect(pages.flatMap(importsOf).filter((name) => name.startsWith('src/commands/'))).toEqual([]);
});

/**
 * Deep modules that demo/ imports, by its folder, and why. The lab also imports src/bench/: it is the page of
 * `heddle bench`. The toys (a training by hand, a batch as a training sees it) show what is inside the library.
 */
const deepInDemo: Readonly<Record<string, readonly string[]>> = {
  // The steps of `heddle language`, with all guests.
  language: ['features/features', 'features/language/language-flow'],
  // The model as a program without heddle.
  train: ['features/pytorch/take-away/model-programs'],
  // The hub proxy of the development server and the build of the pages run in Node, before the library is built.
  '': ['files/hub/http', 'files/hub/repository'],
  build: ['files/zip', 'session/host'],
  // The small engine in WebAssembly answers first, and only this page needs the guess of a language. Six modules are asked
  // for at once, for the first answer on a slow network.
  translate: [
    'api/load-model',
    'api/open-variant',
    'api/remote-models',
    'decode/aligned-texts',
    'decode/alignment',
    'decode/word-weights',
    'engine/wasm-engine',
    'formats/heddle',
    'session/feature-table',
    'text/language-detection',
    'text/sentencepiece/saved-sentencepiece',
  ],
};

it('uses the public entries in demo, except for the listed modules', () => {
  const found = new Map<string, Set<string>>();
  for (const path of code.filter((path) => path.startsWith('demo/'))) {
    const folder = path.split('/').length > 2 ? (path.split('/')[1] ?? '') : '';
    for (const name of importsOf(path)) {
      if (!/^src\/.*\.ts$/.test(name) || isEntry(name)) continue;
      if (
        /^src\/core\/(errors|format-numbers|message|present)\.ts$/.test(name) ||
        name.startsWith('src/bench/') ||
        folder === 'toys'
      )
        continue;
      found.set(folder, (found.get(folder) ?? new Set()).add(name.slice('src/'.length, -'.ts'.length)));
    }
  }
  const sorted = Object.fromEntries([...found].map(([folder, names]) => [folder, [...names].sort()]));
  // A copy may have fewer guests and pages.
  const expected = Object.entries(deepInDemo)
    .filter(([folder]) => existsSync(join(root, 'demo', folder)))
    .map(
      ([folder, names]) =>
        [folder, names.filter((name) => existsSync(join(root, `src/${name}.ts`)))] as const,
    )
    .filter(([, names]) => names.length > 0);
  expect(sorted).toEqual(Object.fromEntries(expected));
});

it('does not compute in the command line, but in jobs, which use the API', () => {
  const computes =
    /^src\/(engine\/(cpu|graph|gpu\/(?!profile|roofs)|(cpu-)?engine\.)|decode\/(?!decode-(options|fields)|text-options|word-links)|train\/(run\/(training-run|loop|recovery|setup)\.|update\/train(er|ing-graphs)\.))/;
  const wrong = code
    .filter((path) => /^src\/commands\/[\w-]+\.ts$/.test(path))
    .flatMap((path) =>
      importsOf(path).flatMap((name) => (computes.test(name) ? [`${path} imports ${name}`] : [])),
    );
  expect(wrong).toEqual([]);
});

/**
 * Base names that several files share, except index.ts, main.ts, README.md and npm's files. A shader, style
 * or page may share a name with a module.
 */
function sharedNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => path.replace(/^.*\//, '').replace(/\.(ts|mjs|cjs|js)$/, ''));
  const twice = names.filter((name, i) => names.indexOf(name) !== i);
  return twice.filter(
    (name) => !['index', 'main', 'README.md', 'package.json', 'package-lock.json'].includes(name),
  );
}

it('has no two files with one base name, except tests, entries, index.ts and main.ts', () => {
  expect(sharedNames(['src/a/x.ts', 'demo/x.ts', 'shaders/x.wgsl', 'demo/main.ts', 'src/main.ts'])).toEqual([
    'x',
  ]);
  // An entry has the name that programs import.
  const files = ['src', 'shaders', 'demo', 'bench', 'scripts'].flatMap(filesUnder);
  const others = files.filter((path) => !path.includes('node_modules') && !path.startsWith('src/entries/'));
  expect(sharedNames(others)).toEqual([]);
});

it('exports at most 60 names from heddle, and each name of an entry once', () => {
  const namesOf = (path: string) =>
    [...read(path).matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
      .flatMap(([, names = '']) => names.split(','))
      .map((name) => name.replace(/^\s*(?:type )?(?:\w+ as )?/, '').trim())
      .filter(Boolean);
  expect(namesOf('src/entries/heddle.ts').length).toBeLessThanOrEqual(60);
  const portable = Object.entries(PORTABLE_ENTRIES).filter(([entry]) => entry !== 'heddle/engine');
  const homes = portable.flatMap(([, path]) => namesOf(path));
  expect(homes.filter((name, i) => homes.indexOf(name) !== i)).toEqual([]);
});

it('keeps Node, the DOM and other packages out of the library', () => {
  const seen = new Set(['src/entries/heddle.ts']);
  for (const path of seen) for (const name of importsOf(path)) if (/^src\/[^?]+$/.test(name)) seen.add(name);
  const wrong = [...seen].flatMap((path) =>
    importsOf(path)
      .filter(
        (name) =>
          !/^(src|shaders)\//.test(name) && name !== 'package.json' && !LIBRARY_PACKAGES.includes(name),
      )
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

it('creates GPU objects only in src/engine/gpu', () => {
  const creates =
    /\.(create(Buffer|ShaderModule|ComputePipeline(Async)?|BindGroup(Layout)?|PipelineLayout|CommandEncoder|QuerySet)|requestDevice)\(/;
  const isCreated = (path: string) => creates.test(read(path).replace(/^ \* .*$/gm, ''));
  expect(sources.filter((path) => !path.startsWith('src/engine/gpu/') && isCreated(path))).toEqual([]);
});

/** Whether a file has ops: those of the library, or of a guest. */
const hasOps = (path: string) => /^(?:src|tests)\/(?:engine|features\/\w+)\/ops\//.test(path);
/** Its path below the folder of ops. */
const inOps = (path: string) => path.replace(/^.*?\/ops\//, '');

/** The ops of the library and of guests, by file. */
const opFiles = new Map(
  await Promise.all(
    sources.filter(hasOps).map(async (path): Promise<[string, AnyOp[]]> => {
      const exported = Object.values((await import(join(root, path))) as Record<string, unknown>);
      return [path, exported.filter((value): value is AnyOp => Object(value).launch instanceof Function)];
    }),
  ),
);

const launched = launchedKernels();

it('launches each op with a kernel', () => {
  const names = [...opFiles.values()].flat().map(({ name }) => name);
  expect(names).toContain('adamw');
  const passes = new Set(launched.map(({ op }) => op));
  expect(names.filter((name) => !passes.has(name))).toEqual([]);
});

it('has a reference for each op', () => {
  const ops = [...opFiles.values()].flat();
  expect(ops.filter((op) => referenceOf(op) === undefined).map(({ name }) => name)).toEqual([]);
});

it('has a test for each op', () => {
  const opTests = tests.filter(hasOps);
  const tested = new Set(opTests.flatMap(importsOf));
  const untested = [...opFiles].filter(([path, ops]) => {
    const stem = inOps(path).slice(0, -'.ts'.length);
    // A test file covers the files whose names start with its stem: layer-norm.gpu.test.ts covers
    // layer-norm-backward.ts.
    const covered = opTests.some((test) => stem.startsWith(inOps(test).split('.')[0] ?? ''));
    return ops.length > 0 && !covered && !tested.has(path);
  });
  expect(untested).toEqual([]);
});

/** Files of `texts` that are not part of a shader with one of the names. */
function orphans(texts: ReadonlyMap<string, string>, names: Iterable<string>): string[] {
  const library = shaderLibrary(texts);
  const used = new Set([...names].flatMap(library.pathsOf));
  return [...texts.keys()].filter((path) => !used.has(path));
}

const shaderTexts = new Map(shaders.map((path) => [path.slice('shaders/'.length), read(path)]));
const launchedShaders = new Set(
  launched.map(({ shader }) => (typeof shader === 'string' ? shader : shader.name)),
);

it('launches each shader, or includes the file in a launched shader', () => {
  expect(orphans(shaderTexts, launchedShaders)).toEqual([]);
});

it('finds shaders that no op launches, for any name, and files that only such shaders include', () => {
  const kernel = '@compute @workgroup_size(1)\nfn f() {}\n';
  const added = (more: Record<string, string>) =>
    orphans(new Map([...shaderTexts, ...Object.entries(more)]), launchedShaders);
  for (const stem of ['scale', 'step', 'sum', 'add-scalar', 'layer-norm-odd', 'dropout-vec4'])
    expect(added({ [`norm/${stem}.wgsl`]: kernel })).toEqual([`norm/${stem}.wgsl`]);
  expect(added({ 'norm/a.wgsl': '// include shared/b.wgsl\n', 'shared/b.wgsl': '' })).toHaveLength(2);
});

it('keeps shaders under 200 lines and free of anything but WGSL', () => {
  expect(shaders.filter((path) => !path.endsWith('.wgsl'))).toEqual([]);
  expect(shaders.filter((path) => read(path).split('\n').length > 200)).toEqual([]);
});

it('opens each file with a comment that says what it is', () => {
  const files = ['tests', 'scripts'].flatMap(filesUnder).filter((path) => /\.(ts|mjs|js)$/.test(path));
  const bare = [...code, ...files, ...shaders].filter((path) => !/^(#!.*\n)?(\/\/|\/\*)/.test(read(path)));
  expect(bare).toEqual([]);
});

it('documents each export of src/', () => {
  const bare = sources.flatMap((path) => {
    const lines = read(path).split('\n');
    const names = lines.map(
      (line) => /^export (?:async )?(?:const|function\*?|class|interface|type) (\w+)/.exec(line)?.[1],
    );
    return names.flatMap((name, i) => {
      const isOverload = names.slice(0, i).includes(name); // the first one is documented
      return name === undefined || isOverload || lines[i - 1]?.endsWith('*/') ? [] : [`${path}: ${name}`];
    });
  });
  expect(bare).toEqual([]);
});

it('has no unknown files or folders at the top', () => {
  const stray = readdirSync(root).filter((name) => !TOP_LEVEL.includes(name) && !UNTRACKED.includes(name));
  expect(stray).toEqual([]);
});

it('names no flags of the command in messages of the library', () => {
  // Flags of Chrome, variables of CSS, and rows of settings and rules, which have the help of the flags.
  const others = [
    'src/features/corpora/clean/clean-rules.ts',
    'src/host/chrome.ts',
    'src/engine/gpu/webgpu-errors.ts',
    'src/train/report/report-page.ts',
  ];
  const isRows = (path: string) => /^src\/(train|features)\/.*settings\.ts$/.test(path);
  const named = sources
    .filter((path) => !isOfCommands(path) && !others.includes(path) && !isRows(path))
    .flatMap((path) =>
      readFileSync(join(root, path), 'utf8')
        .split('\n')
        .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line))
        .filter((line) =>
          Array.from(line.matchAll(/'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`/g), ([text]) => text.slice(1)).some(
            (text) => /(?:^|[\s(])--[a-z]/.test(text),
          ),
        )
        .map((line) => `${path}: ${line.trim()}`),
    );
  expect(named).toEqual([]);
});

it('quotes no message of an error in `toThrow`', () => {
  const quoted = filesUnder('tests')
    .filter((path) => /\.ts$/.test(path))
    .flatMap((path) =>
      Array.from(
        read(path).matchAll(/\.toThrow(?:Error)?\(\s*(?:['"`/]|new (?:RegExp|HeddleError)\()[^\n]*/g),
        ([text]) => `${path}: ${text}`,
      ),
    );
  expect(quoted, 'ask by errorAbout, errorOfKind or errorNaming (support/expect-error.ts)').toEqual([]);
});

it('names in typedoc.json only what is in the sources', () => {
  const { intentionallyNotExported } = JSON.parse(read('typedoc.json'));
  const absent = (intentionallyNotExported as string[]).filter((each) => {
    const [path = '', name = ''] = each.split(':');
    return !existsSync(join(root, path)) || !(name === '__module' || read(path).includes(name));
  });
  expect(absent).toEqual([]);
});

it('links only to headings that the documents have', () => {
  const documents = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...filesUnder('docs')].filter(
    (path) => path.endsWith('.md'),
  );
  const anchors = (path: string) =>
    Array.from(read(path).matchAll(/^#+ (.+)$/gm), ([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    );
  const broken = documents.flatMap((path) =>
    Array.from(read(path).matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)).flatMap(([, file = '', anchor = '']) => {
      const target = file ? join(dirname(path), file) : path;
      if (!target.endsWith('.md')) return [];
      return anchors(target).includes(anchor) ? [] : [`${path}: ${file}#${anchor}`];
    }),
  );
  expect(broken).toEqual([]);
});
