// node scripts/without-guest.mjs GUEST [FOLDER]: copies the tracked files to FOLDER (default: a temporary folder, which is
// removed), deletes a guest there as CONTRIBUTING.md says, and checks that types, build and layout of the rest and the tests
// of the other guests pass. `--keep` leaves the copy, `--only-copy` checks nothing. It shows that nothing but rows of tables
// knows the guest.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');

/** Guests that are made of others: they go with each of these. */
const madeOf = { language: ['corpora', 'marian'] };

/** Files that are of a guest and do not have its name. */
const more = {
  corpora: ['bench/codes'],
  documents: ['bench/codes'],
  pytorch: ['demo/train/guests/take-away.ts'],
  speech: ['demo/train/guests/other-models.ts', 'demo/train/guests/line-picture.ts'],
};

/** The tables: the files in which a guest has rows. */
const tables = [
  'src/features/features.ts',
  'src/features/guest-types.ts',
  'src/commands/commands.ts',
  'src/commands/guest-parts.ts',
  'src/commands/golden-kinds.ts',
  'src/bench/guest-benches.ts',
  'src/entries/data.ts',
  'src/entries/metrics.ts',
  'src/entries/host.ts',
  'demo/train/guests/page-guests.ts',
  'demo/train/guests/train-guests.ts',
  'demo/code/library.ts',
  'demo/common/page-header.ts',
  'demo/translate/translate-guests.ts',
  'tests/support/guest-kernels.ts',
];

/** Whether a file is of a guest, by its path: folders and mirrored tests, entries, pages, a guide. */
const isOf = (guest) => (path) =>
  new RegExp(
    [
      `^(?:src|tests|shaders)/features/${guest}/`,
      `^src/entries/(?:[a-z]+-)*${guest}(?:-[a-z]+)*\\.ts$`,
      `^demo/${guest}(?:\\.html$|/)`,
      `^docs/${guest}\\.md$`,
      `^tests/demo/${guest}[-/]`,
      `^tests/features/together/(?:[a-z]+-)*${guest}[.-]`,
      ...(more[guest] ?? []).map((own) => `^${own.replaceAll('.', '\\.')}(?:/|$)`),
    ].join('|'),
  ).test(path);

/** The guests that go: the named one, and those that are made of it. */
const leaving = (guest) => [
  guest,
  ...Object.entries(madeOf).flatMap(([other, parts]) => (parts.includes(guest) ? [other] : [])),
];

/**
 * A table without the rows of files that are gone: imports and exports of them, and what uses their names. A row is an
 * element of a list, a property of an object, a member of a union, or a type that an interface extends.
 */
export function withoutRows(path, text, isGone) {
  let source = text;
  const names = new Set();
  for (;;) {
    const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
    const refersTo = (name) =>
      name.startsWith('./') && name.endsWith('.html')
        ? isGone(join('demo', name))
        : name.startsWith('.') && isGone(join(dirname(path), name));
    const mentions = (node) => {
      if (ts.isStringLiteral(node)) return refersTo(node.text);
      if (ts.isIdentifier(node)) {
        const isKey = ts.isPropertyAssignment(node.parent) && node.parent.name === node;
        return names.has(node.text) && !isKey;
      }
      return ts.forEachChild(node, (child) => mentions(child) || undefined) ?? false;
    };
    /** What is cut for a statement: itself, or rows in it. */
    const cutsOf = (statement) => {
      if (!mentions(statement)) return [];
      if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) {
        const { importClause, exportClause } = statement;
        const bindings = importClause?.namedBindings ?? exportClause;
        const elements = bindings && 'elements' in bindings ? bindings.elements : [];
        for (const { name } of elements) names.add(name.text);
        if (bindings && ts.isNamespaceImport(bindings)) names.add(bindings.name.text);
        return [statement];
      }
      const [declaration] = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [];
      const isExported = statement.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
      if (declaration && !isExported && !isList(declaration.initializer)) {
        names.add(declaration.name.text);
        return [statement];
      }
      return rowsIn(statement);
    };
    /** The outermost rows that mention what is gone. */
    const rowsIn = (node) => {
      const rows =
        (ts.isArrayLiteralExpression(node) && node.elements) ||
        (ts.isObjectLiteralExpression(node) && node.properties) ||
        (ts.isUnionTypeNode(node) && node.types) ||
        (ts.isHeritageClause(node) && node.types);
      if (rows) return rows.filter(mentions);
      if (ts.isTypeAliasDeclaration(node) && !ts.isUnionTypeNode(node.type)) return [node.type];
      const found = [];
      ts.forEachChild(node, (child) => void found.push(...(mentions(child) ? rowsIn(child) : [])));
      return found;
    };
    const [cut] = file.statements.flatMap(cutsOf);
    if (!cut) return source;
    source = withoutNode(source, cut);
  }
}

/** Whether an initializer is a list, also one `as const`. */
const isList = (node) =>
  node !== undefined &&
  (ts.isArrayLiteralExpression(node) ||
    ('expression' in node && ts.isAsExpression(node) && isList(node.expression)));

/** A text without a node, the comma or bar beside it, and the comment before it. */
function withoutNode(source, node) {
  const list = node.parent;
  // The comment at the start of a file is that of the file.
  const isFirst = node.getFullStart() === 0;
  const before = source.slice(0, isFirst ? node.getStart() : node.getFullStart());
  const after = source.slice(node.end);
  if (ts.isTypeAliasDeclaration(list)) return `${before} never${after}`;
  if (ts.isUnionTypeNode(list))
    return list.types.length === 1
      ? `${before} never${after}`
      : before.replace(/\s*\|\s*$/, '') + (list.types[0] === node ? after.replace(/^\s*\|/, '') : after);
  if (ts.isHeritageClause(list))
    return list.types.length === 1
      ? before.replace(/\s*extends\s*$/, ' ') + after
      : list.types[0] === node
        ? before + after.replace(/^,/, '')
        : before.replace(/,\s*$/, '') + after;
  return after.startsWith(',') ? before + after.slice(1) : before.replace(/,\s*$/, '') + after;
}

/** Removes keys and elements of a JSON file that name what is gone. */
function withoutNames(value, isGone) {
  if (Array.isArray(value))
    return value
      .filter((one) => typeof one !== 'string' || !isGone(one))
      .map((one) => withoutNames(one, isGone));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, one]) =>
      isGone(key) || (typeof one === 'string' && isGone(one)) ? [] : [[key, withoutNames(one, isGone)]],
    ),
  );
}

/** Copies the tracked files, without the guests. */
function copyWithout(guests, folder) {
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)));
  const gone = new Set(tracked.filter((path) => guests.some((guest) => isOf(guest)(path))));
  for (const path of tracked.filter((path) => !gone.has(path))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const table of tables) {
    const path = join(folder, table);
    if (existsSync(path))
      writeFileSync(
        path,
        withoutRows(table, readFileSync(path, 'utf8'), (name) => gone.has(name)),
      );
  }
  const isNamed = (text) =>
    gone.has(text) ||
    guests.some(
      (guest) =>
        [`./${guest}`, `${guest}.html`].includes(text) ||
        (text.includes(`bench/codes/`) && guest === 'documents'),
    );
  for (const name of ['package.json', 'typedoc.json']) {
    const path = join(folder, name);
    const json = withoutNames(JSON.parse(readFileSync(path, 'utf8')), isNamed);
    writeFileSync(path, `${JSON.stringify(json, undefined, 2)}\n`);
  }
  return [...gone];
}

/** Runs a command in a folder and returns whether it passed. */
function passes(folder, name, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}`);
  if (status !== 0) console.log(`${stdout}${stderr}`.slice(-6000));
  return status === 0;
}

/** Deletes the guest in a copy and checks the rest. */
function main([guest, given, ...flags]) {
  const guests = readdirSync(join(root, 'src/features'), { withFileTypes: true });
  if (!guests.some((entry) => entry.isDirectory() && entry.name === guest))
    throw new Error(`there is no guest ${guest}`);
  const named = given !== undefined && !given.startsWith('--');
  const all = named ? flags : [given, ...flags];
  const folder = named ? resolve(given) : mkdtempSync(join(tmpdir(), `heddle-without-${guest}-`));
  mkdirSync(folder, { recursive: true });
  const gone = copyWithout(leaving(guest), folder);
  console.log(`${folder}: without ${leaving(guest).join(', ')}, ${gone.length} files`);
  const tsc = join(root, 'node_modules/typescript-7/bin/tsc');
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const node = process.execPath;
  const unused = [
    'check',
    '--write',
    '--unsafe',
    '--only=correctness/noUnusedImports',
    ...tables.filter((table) => existsSync(join(folder, table))),
  ];
  spawnSync(node, [biome, ...unused], { cwd: folder });
  if (all.includes('--only-copy')) return true;
  const ok = [
    passes(folder, 'types', node, [tsc, '--noEmit']),
    passes(folder, 'build', node, ['scripts/build.mjs', '--no-types']),
    passes(folder, 'layout', node, [vitest, 'run', '--project', 'cpu', 'tests/layout.test.ts']),
    passes(folder, 'tests of the other guests', node, [vitest, 'run', '--project', 'cpu', 'tests/features']),
  ].every(Boolean);
  if (!named && !all.includes('--keep')) rmSync(folder, { recursive: true });
  return ok;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.exitCode = main(process.argv.slice(2)) ? 0 : 1;
