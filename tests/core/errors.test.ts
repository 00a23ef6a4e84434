// Errors: how messages quote names, the kinds of errors, and that the sources state a kind wherever an error is
// not about the caller's input. tests/api/error-kinds.test.ts throws an error of each kind.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { check, errorKind, HeddleError, shellQuote, withArea } from '../../src/core/errors.ts';
import { decodeRows } from '../../src/decode/decode-fields.ts';
import { settingRows } from '../../src/features/all-settings.ts';

const root = resolve(import.meta.dirname, '../..');

it('returns plain words, and quotes others for a shell', () => {
  expect(shellQuote('runs/en-es_2.zip')).toBe('runs/en-es_2.zip');
  for (const word of ['my model', "it's", '$HOME', 'a"b', '`x`', '', 'a\nb', '*'])
    expect(execFileSync('sh', ['-c', `printf %s ${shellQuote(word)}`], { encoding: 'utf8' })).toBe(word);
});

describe('the kind of an error', () => {
  it('is input unless the error states another one', () => {
    expect(new HeddleError('a').kind).toBe('input');
    expect(new HeddleError('a', { kind: 'quota' }).kind).toBe('quota');
    expect(() => check(false, 'a')).toThrow(expect.objectContaining({ kind: 'input' }));
    expect(() => check(false, 'a', 'not-found')).toThrow(expect.objectContaining({ kind: 'not-found' }));
  });

  it('stays when the area is another one', () => {
    const work = () => check(false, 'it is lost', 'device');
    expect(() => withArea('train', work)).toThrow(
      expect.objectContaining({ kind: 'device', message: 'train: it is lost' }),
    );
  });

  it('is known for errors of the platform, and for nothing else', async () => {
    const aborted = AbortSignal.abort().reason as unknown;
    const timeout = AbortSignal.timeout(1);
    await new Promise((resolve) => timeout.addEventListener('abort', resolve));
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    expect([aborted, timeout.reason, full, new HeddleError('a')].map(errorKind)).toEqual([
      'aborted',
      'timeout',
      'quota',
      'input',
    ]);
    expect([new TypeError('a'), 'text', undefined, null, 3].map(errorKind)).toEqual(Array(5).fill(undefined));
  });
});

/** A source file, parsed. */
const parsed = (path: string) =>
  ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2022, true);

/** Files that programs with the library can load: the entries and all that they import, also on demand. */
function libraryFiles(): ts.SourceFile[] {
  const paths = new Set(
    ['heddle', 'heddle.node', 'heddle.deno'].map((name) => join(root, `src/entries/${name}.ts`)),
  );
  const files: ts.SourceFile[] = [];
  for (const path of paths) {
    const file = parsed(path);
    files.push(file);
    for (const [, name = ''] of file.text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'(\.[^']+\.ts)'/g))
      paths.add(resolve(dirname(path), name));
  }
  return files;
}

interface Thrown {
  readonly place: string;
  readonly message: string;
  readonly statesKind: boolean;
}

/** The errors that a file constructs: `new HeddleError(message, options)` and `check(condition, message, kind)`. */
function errorsIn(file: ts.SourceFile): Thrown[] {
  const found: Thrown[] = [];
  const hasCheck = /^import \{[^}]*\bcheck\b[^}]*\} from '[^']*core\/errors\.ts'/m.test(file.text);
  const add = (call: ts.Node, message: ts.Expression | undefined, statesKind: boolean) => {
    const line = file.getLineAndCharacterOfPosition(call.getStart()).line + 1;
    const place = `${file.fileName.slice(root.length + 1)}:${line}`;
    found.push({ place, message: message?.getText() ?? '', statesKind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && node.expression.getText() === 'HeddleError') {
      const [message, options] = node.arguments ?? [];
      const literal = options && ts.isObjectLiteralExpression(options) ? options.properties : [];
      const isSpread = message !== undefined && ts.isSpreadElement(message);
      add(node, message, isSpread || literal.some((field) => field.name?.getText() === 'kind'));
    } else if (hasCheck && ts.isCallExpression(node) && node.expression.getText() === 'check')
      add(node, node.arguments[1], node.arguments.length > 2);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Files whose errors are mostly not about the caller's input. */
const atTheEdge = /^src\/(?:files\/|host\/|engine\/gpu\/|session\/session|api\/(?:remote|hub)-models)/;

/** Words of messages about something else than an invalid input. */
const otherWords =
  /\bno such|there is no file|missing (?:file|folder)|\bWebGPU|this adapter|no memory|not enough memory|GPU memory|request failed|cannot be reached|took longer|timed out|was lost|quota|no space/i;

it('escapes control characters of a message and cuts it, also if all of it is escapes', () => {
  const { message } = new HeddleError(`a\u001b[31m${'\u0002'.repeat(5000)}z`);
  expect(message).toMatch(/^a\\u001b\[31m(?:\\u0002)+[\\u02]* \.\.\. [\\u02]*(?:\\u0002)+z$/);
  expect(message.length).toBeLessThan(1010);
});

describe('the sources state a kind', () => {
  const errors = libraryFiles().flatMap(errorsIn);

  it('has found the errors', () => expect(errors.length).toBeGreaterThan(300));

  it('in files about downloads, storage, devices and hosts', () => {
    const forgotten = errors.filter(({ place, statesKind }) => !statesKind && atTheEdge.test(place));
    expect(forgotten.map(({ place, message }) => `${place} ${message}`)).toEqual([]);
  });

  it('elsewhere, if the message is not about the input', () => {
    const forgotten = errors.filter(({ message, statesKind }) => !statesKind && otherWords.test(message));
    expect(forgotten.map(({ place, message }) => `${place} ${message}`)).toEqual([]);
  });
});

it('names options of several words in holes, never in the text of a thrown message', () => {
  const names = [...settingRows, ...decodeRows].map(([name]) => name).filter((name) => /[A-Z]/.test(name));
  const plain = new RegExp(`(?<![\\w./'"=-])(?:${names.join('|')})(?![\\w/'"=-])`);
  const wrong = libraryFiles()
    .flatMap(errorsIn)
    .filter(({ message }) => {
      const texts = message.replaceAll(/\$\{[^}]*\}/g, '').match(/`[^`]*`|'[^'\n]*'|"[^"\n]*"/g);
      return texts?.some((text) => plain.test(text));
    });
  expect(wrong.map(({ place, message }) => `${place} ${message}`)).toEqual([]);
});
