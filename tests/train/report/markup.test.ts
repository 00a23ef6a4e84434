// HTML text with escaped values.
import { expect, it } from 'vitest';
import { escapeHtml, html } from '../../../src/train/report/markup.ts';

it('escapes everything that is not markup', () => {
  const text = `<script>alert("1")</script>&amp;'\``;
  expect(html`<td title="${text}">${text}</td>`.markup).toBe(
    `<td title="${escapeHtml(text)}">&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;&#39;&#96;</td>`,
  );
});

it('keeps markup, joins lists, and renders undefined as an empty string', () => {
  expect(
    html`<p>${html`<b>${'<'}</b>`}${['a', [1, html`<i>`]]}${false}${undefined}${null}${0}</p>`.markup,
  ).toBe('<p><b>&lt;</b>a1<i>0</p>');
});

it('replaces characters that HTML does not allow', () => {
  expect(escapeHtml('a\u0000b\u001bc\u0085d\ud800e\udc00f\u{1f600}\t\n')).toBe(
    'a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\u{1f600}\t\n',
  );
});
