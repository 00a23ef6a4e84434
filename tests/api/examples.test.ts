// The examples in doc comments (`@example`) and in docs/*.md and README.md: all of them type-check, and those
// of functions that compute on the CPU and need nothing else run.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { hfFamilies } from '../../src/formats/hf/hf-families.ts';

const root = join(import.meta.dirname, '../..');

/** Sources of the package's entries by their import names. */
const entries = Object.fromEntries(
  // ./bundle is the entry heddle in one file.
  Object.keys(packageJson.exports)
    .filter((name) => name !== './bundle')
    .map((name) => {
      const entry = `heddle${name.slice(1)}`;
      const sources: Readonly<Record<string, string>> = {
        heddle: 'src/entries/heddle.ts',
        'heddle/engine': 'src/engine/index.ts',
        'heddle/speech': 'src/entries/speech.ts',
      };
      return [entry, join(root, sources[entry] ?? `src/entries/${name.slice(2)}.ts`)];
    }),
);

/** What examples may use without declaring it, by the names of exported types. */
const ambient: Readonly<Record<string, string>> = {
  model: 'Model',
  pairs: 'Pair[]',
  dev: 'Pair[]',
  texts: 'string[]',
  signal: 'AbortSignal',
  file: 'File',
  text: 'string',
  bytes: 'Uint8Array',
  files: 'Files',
  config: 'ModelConfig',
  weights: 'Float32Array',
  device: 'Device',
  engine: 'Engine',
  graph: 'Graph',
  wgsl: 'string',
  lora: 'LoraConfig',
  runtime: 'OnnxRuntime',
  chrome: 'Chrome',
  server: 'FolderServer',
  vocab: 'Map<string, number>',
  ...Object.fromEntries(
    ['x', 'gamma', 'beta', 'logits', 'targets', 'step', 'w'].map((name) => [name, 'Value']),
  ),
};

interface Example {
  readonly name: string;
  /** The file that it is in. */
  readonly path: string;
  readonly code: string;
  readonly fromSource: boolean;
}

const filesIn = (folder: string, extension: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => join(root, folder, name));

/** The example of this guide is a row of `hfFamilies`. */
const familyGuide = join(root, 'docs/add-a-model-family.md');
const families = join(root, 'src/formats/hf/hf-families.ts');
const rowOfFamilies = (row: string): string =>
  `import type { HfFamily } from '${families}'; declare const shared: object; ({${row}}) satisfies Record<string, HfFamily>;`;

function examplesOf(path: string): Example[] {
  const text = readFileSync(path, 'utf8');
  const name = (at: number) => `${relative(root, path)}:${text.slice(0, at).split('\n').length}`;
  if (path.endsWith('.md'))
    return [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((found) => ({
      name: name(found.index),
      path,
      code: path === familyGuide ? rowOfFamilies(found[1] as string) : (found[1] as string),
      fromSource: false,
    }));
  return [...text.matchAll(/@example\n((?:\s*\*(?!\/)(?! @).*\n)+)/g)].map((found) => ({
    name: name(found.index),
    path,
    code: (found[1] as string).replace(/^\s*\* ?/gm, '').replace(/^```\w*$/gm, ''),
    fromSource: true,
  }));
}

const examples = [
  ...filesIn('src', '.ts').flatMap(examplesOf),
  ...filesIn('docs', '.md').flatMap(examplesOf),
  ...examplesOf(join(root, 'README.md')),
];

/**
 * What may be imported: the names that the entries export, then all that the modules of src/ export, each
 * with its module.
 */
function exportedNames(): Map<string, string> {
  const names = new Map<string, string>();
  const add = (name: string, from: string) => names.has(name) || names.set(name, from);
  for (const [entry, path] of Object.entries(entries)) {
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022);
    for (const node of source.statements)
      if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause))
        for (const { name } of node.exportClause.elements) add(name.text, entry);
  }
  for (const path of filesIn('src', '.ts'))
    for (const [, name = ''] of readFileSync(path, 'utf8').matchAll(
      /^export (?:async )?(?:function\*? |const |class |interface |type )(\w+)/gm,
    ))
      add(name, path);
  return names;
}

const config = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config;
const options: ts.CompilerOptions = {
  ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
  noEmit: true,
  noUnusedLocals: false,
  noUnusedParameters: false,
  noUncheckedIndexedAccess: false,
  paths: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, [path]])),
};

/**
 * An example as a module: what it uses without declaring or importing it comes from the package, or is
 * ambient.
 */
function moduleOf({ code, path }: Example): string {
  const ownText = path.endsWith('.ts') ? readFileSync(path, 'utf8') : '';
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.ES2022, true);
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node;
      const isMember =
        (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
        (ts.isPropertyAssignment(parent) && parent.name === node);
      const declares =
        (ts.isVariableDeclaration(parent) ||
          ts.isParameter(parent) ||
          ts.isFunctionDeclaration(parent) ||
          ts.isTypeAliasDeclaration(parent) ||
          ts.isInterfaceDeclaration(parent) ||
          ts.isClassDeclaration(parent) ||
          ts.isBindingElement(parent) ||
          ts.isImportSpecifier(parent) ||
          ts.isNamespaceImport(parent)) &&
        parent.name === node;
      if (declares) declared.add(node.text);
      else if (!isMember) used.add(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const missing = [...used].filter((name) => !declared.has(name));
  const isOwn = (name: string) =>
    !exported.get(name)?.startsWith('heddle') &&
    new RegExp(`^export (?:async )?(?:function\\*? |const |class )${name}\\b`, 'm').test(ownText);
  const imports = missing
    .filter((name) => exported.has(name) && !(name in ambient))
    .map((name) => `import { ${name} } from '${isOwn(name) ? path : exported.get(name)}';`);
  const consts = missing
    .filter((name) => name in ambient)
    .map((name) => {
      const type =
        name === 'model' && path.includes('/src/formats/') ? 'SavedModel' : (ambient[name] as string);
      const from = exported.get(type.replace('[]', ''));
      return `declare const ${name}: ${from ? `import('${from}').` : ''}${type};`;
    });
  return `${[...imports, ...consts].join(' ')} ${code}\nexport {};\n`;
}

const exported = exportedNames();

describe('examples', () => {
  it('are in every entry and page', () => {
    expect(examples.filter(({ fromSource }) => fromSource).length).toBeGreaterThan(10);
    expect(examples.filter(({ fromSource }) => !fromSource).length).toBeGreaterThan(5);
  });

  it('type-check', () => {
    const virtual = new Map(
      examples.map((example, i) => [
        join(root, `tests/api/example-${i}.ts`),
        { text: moduleOf(example), name: example.name },
      ]),
    );
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (path) => virtual.has(path) || fileExists(path);
    host.readFile = (path) => virtual.get(path)?.text ?? readFile(path);
    host.getSourceFile = (path, version, ...rest) => {
      const found = virtual.get(path);
      return found ? ts.createSourceFile(path, found.text, version) : getSourceFile(path, version, ...rest);
    };
    const program = ts.createProgram([...virtual.keys()], options, host);
    const wrong = [...virtual].flatMap(([path, { name }]) =>
      ts.getPreEmitDiagnostics(program, program.getSourceFile(path)).map(({ messageText, start = 0 }) => {
        const text = virtual.get(path)?.text ?? '';
        return `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')} in: ${text.slice(start).split('\n')[0]}`;
      }),
    );
    expect(wrong).toEqual([]);
  });
});

it('the row of the guide to model families is that of the source', () => {
  const [, row = ''] = /```ts\n([\s\S]*?)```/.exec(readFileSync(familyGuide, 'utf8')) ?? [];
  expect(hfFamilies).toMatchObject(new Function('shared', `return {${row}}`)({}));
});

const isShort = (example: Example): boolean =>
  example.fromSource && !/\bawait\b/.test(example.code) && !moduleOf(example).includes('declare const ');

describe('short examples run', () => {
  it.each(examples.filter(isShort))(
    '$name',
    async (example) => {
      const output = ts.transpileModule(moduleOf(example), {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          verbatimModuleSyntax: false,
        },
      }).outputText;
      const body = output
        .replace(
          /import \{([^}]*)\} from ["']([^"']+)["'];/g,
          (_, names, entry) => `const {${names}} = modules[${JSON.stringify(entry)}];`,
        )
        .replace('export {};', '');
      const modules: Record<string, unknown> = {};
      for (const [, name = ''] of body.matchAll(/modules\["([^"]+)"\]/g))
        modules[name] = await import(entries[name] ?? name);
      const printed: unknown[] = [];
      new Function('modules', 'console', body)(modules, {
        log: (...words: unknown[]) => printed.push(words),
      });
      for (const words of printed) expect(words).not.toContain(undefined);
    },
    60_000,
  ); // the first one loads an entry, which is slow on a busy machine
});
