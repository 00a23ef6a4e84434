// Texts on the command line that are names of files: nobody wants the translation of a file's name.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { documentFiles } from '../../../../src/features/documents/commands/document-command.ts';
import { openDocument } from '../../../../src/features/documents/document-formats.ts';
import { saveModelFolder } from '../../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../../src/host/node-files.ts';
import { heddle, scratch } from '../../../support/cli.ts';
import { errorAbout } from '../../../support/expect-error.ts';
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
  expect(() => documentFiles.checkTexts([docx])).toThrow(errorAbout({ values: [docx] }));
  expect(() => documentFiles.checkTexts(['Good morning.', po])).toThrow(errorAbout({ values: [2] }));
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

it('reads a document in the encoding that is given, and writes it so', async () => {
  const at = (name: string) => join(scratch(), name);
  await saveModelFolder(nodeFiles(), at('letters'), letterModel());
  const [head, tail] = [
    '1\n00:00:01,000 --> 00:00:02,000\n£5 – 7\n\n2\n00:00:03,000 --> 00:00:04,000\n',
    '\n',
  ];
  // windows-1252: £ is A3, and – is 96.
  const bytes = Buffer.from(`${head.replace('–', '\x96')}bad${tail}`, 'latin1');
  writeFileSync(at('a.srt'), bytes);
  const args = ['translate', at('letters'), at('a.srt'), '--out', at('b.srt'), '--host', 'cpu'];
  const refused = await heddle(args);
  expect(refused.stderr).toMatch(/a\.srt: line \d+ is not UTF-8; give its --encoding/);
  expect(existsSync(at('b.srt'))).toBe(false);
  expect((await heddle([...args, '--encoding', 'nothing'])).stderr).toContain('There is no such encoding');
  const made = await heddle([...args, '--encoding', 'windows-1252']);
  expect(made.stderr).not.toContain('error');
  expect(readFileSync(at('b.srt')).subarray(0, head.length)).toEqual(bytes.subarray(0, head.length));
});

it('writes characters that an encoding lacks as references in HTML, and names them elsewhere', async () => {
  const bytes = Buffer.from('<p title="\xe9">bad</p>', 'latin1');
  const html = await openDocument(bytes, 'a.html', { encoding: 'latin1' });
  expect(Buffer.from(html.encode('é猫')).toString('latin1')).toBe('\xe9&#x732B;');
  const text = await openDocument(bytes, 'a.txt', { encoding: 'latin1' });
  expect(() => text.encode('猫')).toThrow(errorAbout({ area: 'a.txt', values: ['windows-1252', '"猫"'] }));
  const wide = await openDocument(Buffer.from('\ufeffcafé', 'utf16le'), 'a.txt');
  expect(Buffer.from(wide.encode('é猫'))).toEqual(Buffer.from('é猫', 'utf16le'));
});
