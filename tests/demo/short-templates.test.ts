// Line breaks and indentation in the templates of the pages.
import { expect, it } from 'vitest';
import { shortTemplates, shortText } from '../../demo/short-templates.ts';

it('keeps spaces between words and attributes, and removes what stands between tags', () => {
  const text = '\n  <p\n    class="a"\n    title="b"\n  >\n    one\n    two <b>three</b>\n  </p>\n';
  expect(shortText(text, true, true)).toBe('<p class="a" title="b">one two <b>three</b></p>');
  expect(shortText('\n  ', false, false)).toBe(''); // between two expressions
  expect(shortText('\n  of ', false, false)).toBe(' of ');
  expect(shortText(' steps\n  ', false, false)).toBe(' steps ');
});

it('changes templates in demo/ only, and no other text', () => {
  const transform = shortTemplates.transform as (code: string, id: string) => { code: string } | undefined;
  const plain = 'const b = `\n  c`;';
  const code = `const a: Content = html\`\n  <p>\n    é \${x}\n    \${html\`<b>\n  </b>\`}\n  </p>\`;\n${plain}`;
  const short = `const a: Content = html\`<p>é \${x}\${html\`<b></b>\`}</p>\`;\n${plain}`;
  expect(transform(code, '/heddle/demo/a.ts')?.code).toBe(short);
  expect(transform(code, '/heddle/src/a.ts')).toBeUndefined();
});
