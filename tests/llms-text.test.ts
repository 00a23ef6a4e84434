// llms.txt, which lists the documentation for language models (llmstxt.org): generated from docs/README.md. Run
// `npx vitest run -u tests/llms-text.test.ts` after a change there.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const base = 'https://github.com/heddle-webgpu/heddle/blob/main/';

/** Name, file and contents of each page in the table of docs/README.md. */
const guides = [...read('docs/README.md').matchAll(/^\| \[(.+?)\]\((.+?)\) +\| (.+?) +\|$/gm)].map(
  ([, name = '', file = '', contents = '']) => ({ name, file: `docs/${file}`, contents }),
);
const line = (name: string, file: string, contents: string) => `- [${name}](${base}${file}): ${contents}`;

it('lists every guide', async () => {
  expect(guides.length).toBeGreaterThan(10);
  for (const { file } of guides) expect(existsSync(join(root, file)), file).toBe(true);
  const [, summary = ''] = /^# heddle\n\n([^\n]+)/.exec(read('README.md')) ?? [];
  const text = [
    '# heddle',
    `> ${summary}`,
    'Install it with `npm install heddle`. In a program: `const model = await train(pairs)`, then `await model.translate(text)`.',
    '## Guides',
    guides.map(({ name, file, contents }) => line(name, file, contents)).join('\n'),
    '## Project',
    [
      line('README', 'README.md', 'what it is, commands, pages, library, measurements'),
      line('Architecture', 'ARCHITECTURE.md', 'rooms of the source code, and how data passes through them'),
      line('Contributing', 'CONTRIBUTING.md', 'set-up, checks, where things go, how we write'),
      line('Changes', 'CHANGELOG.md', 'what is new'),
    ].join('\n'),
  ];
  await expect(`${text.join('\n\n')}\n`).toMatchFileSnapshot('../llms.txt');
});
