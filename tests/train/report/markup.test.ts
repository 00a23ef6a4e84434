// HTML text with escaped values.
import { expect, it } from 'vitest';
import {
  formatBytes,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
} from '../../../src/core/format-numbers.ts';
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

it('writes numbers for people', () => {
  expect(
    [0, 0.04213, 12.34, 1240, 0.000012, -0.5, 1e9, Number.NaN, Number.POSITIVE_INFINITY].map(formatNumber),
  ).toEqual(['0', '0.0421', '12.3', '1,240', '1.2e-5', '-0.5', '1,000,000,000', '–', '–']);
  expect([
    formatPercent(0.97249),
    formatPercent(1),
    formatPercent(Number.NaN),
    formatInteger(1234.5),
    formatInteger(Number.NaN),
  ]).toEqual(['97.2 %', '100.0 %', '–', '1,235', '–']);
  expect([512, 2048, 123_456_789, 2 ** 31].map(formatBytes)).toEqual([
    '512 B',
    '2.0 KiB',
    '117.7 MiB',
    '2.0 GiB',
  ]);
  expect([0.42, 48.4, 125, 3780, Number.NaN].map(formatDuration)).toEqual([
    '0.4 s',
    '48 s',
    '2 min 5 s',
    '1 h 3 min',
    '–',
  ]);
});
