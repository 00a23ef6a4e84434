// The coloured tokens of programs, and the recorded outputs of the examples.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { colouredTokens } from '../../demo/common/syntax-colours.ts';
import { examplePrograms } from '../../demo/example-programs.ts';

const tokensOf = (text: string) =>
  colouredTokens(text).map(({ kind, start, end }) => [kind, text.slice(start, end)]);

it('finds comments, strings, numbers and keywords, and none of them in another', () => {
  expect(tokensOf("const a = 'it is // \\' not'; // new 1\nlet b = 20_000 + x.for; /* let */")).toEqual([
    ['keyword', 'const'],
    ['string', "'it is // \\' not'"],
    ['comment', '// new 1'],
    ['keyword', 'let'],
    ['number', '20_000'],
    ['comment', '/* let */'],
  ]);
  expect(tokensOf('@compute fn main() { return 1.5f; }')).toEqual([
    ['keyword', 'fn'],
    ['keyword', 'return'],
    ['number', '1.5f'],
  ]);
  expect(tokensOf(`train(pairs, { default: 1, from: model, seed: \`a\n\` })`)).toEqual([
    ['number', '1'],
    ['string', '`a\n`'],
  ]);
});

it('has a recorded output for each example of the page Code', () => {
  const [readme, guide] = ['README.md', 'docs/examples.md'].map((path) => readFileSync(path, 'utf8'));
  const outputs = JSON.parse(readFileSync('demo/code/recorded-outputs.json', 'utf8'));
  expect(Object.keys(outputs)).toEqual(examplePrograms(readme ?? '', guide ?? '').map(({ id }) => id));
});
