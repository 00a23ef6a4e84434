// Texts on the command line that are names of files: nobody wants the translation of a file's name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { checkTexts, isDocument } from '../../src/commands/document-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-documents-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => {
  writeFileSync(join(folder, name), 'x');
  return join(folder, name);
};

it('rejects files that are no documents, and several documents', () => {
  const [po, docx] = [file('a.po'), file('a b.docx')];
  expect(isDocument([po])).toBe(true);
  expect(() => checkTexts([docx])).toThrow(
    /a b\.docx is a file, but no document .* with --input .*a b\.docx$/,
  );
  expect(() => checkTexts(['Good morning.', po])).toThrow(/a\.po is a document, and 2 texts are given/);
});

it('takes texts, also those that look like names', () => {
  expect(() => checkTexts(['Good morning.', 'none.docx', '3.5', folder, file('README')])).not.toThrow();
});
