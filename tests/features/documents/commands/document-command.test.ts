// Texts on the command line that are names of files: nobody wants the translation of a file's name.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { documentFiles } from '../../../../src/features/documents/commands/document-command.ts';
import { saveModelFolder } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { heddle, scratch } from '../../../support/cli.ts';
import { letterModel } from '../../../support/saved-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-documents-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string): string => {
  writeFileSync(join(folder, name), 'x');
  return join(folder, name);
};

it('rejects files that are no documents, and several documents', () => {
  const [po, docx] = [file('a.po'), file('a b.docx')];
  expect(documentFiles.isFile([po])).toBe(true);
  expect(() => documentFiles.checkTexts([docx])).toThrow(
    /a b\.docx is a file, but no document .* with --input .*a b\.docx$/,
  );
  expect(() => documentFiles.checkTexts(['Good morning.', po])).toThrow(
    /a\.po is a document, and 2 texts are given/,
  );
});

it('takes texts, also those that look like names', () => {
  expect(() =>
    documentFiles.checkTexts(['Good morning.', 'none.docx', '3.5', folder, file('README')]),
  ).not.toThrow();
});

it("leaves a file of the user's with the name of its journal", async () => {
  const at = (name: string) => join(scratch(), name);
  await saveModelFolder(nodeFiles(), at('model'), letterModel());
  writeFileSync(at('a.po'), 'msgid "bad"\nmsgstr ""\n');
  writeFileSync(at('b.po.progress'), 'mine');
  const args = ['translate', at('model'), at('a.po'), '--out', at('b.po'), '--host', 'cpu'];
  expect((await heddle(args)).stderr).toMatch(/b\.po\.progress: heddle did not write this file/);
  expect([readFileSync(at('b.po.progress'), 'utf8'), existsSync(at('b.po'))]).toEqual(['mine', false]);
});
