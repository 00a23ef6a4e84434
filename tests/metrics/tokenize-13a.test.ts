import { expect, it } from 'vitest';
import { tokenize13a } from '../../src/metrics/tokenize-13a.ts';

// Worked out by hand from the four rules of mteval-v13a.
it.each([
  ['Hola, mundo.', 'Hola , mundo .'],
  ['', ''],
  ['   ', ''],
  ["It wasn't 'so'.", "It wasn't 'so' ."],
  ['1,234.50 and .5, 3. x', '1,234.50 and . 5 , 3 . x'],
  ['10-20 well-known -5 1-', '10 - 20 well-known -5 1 -'],
  ['3.', '3 .'],
  ['a...b', 'a . . . b'],
  ['9..9', '9 . . 9'],
  ['9.9', '9.9'],
  ['(a) [b] {c} <d> "e" `f`', '( a ) [ b ] { c } < d > " e " ` f `'],
  ['50% a/b a\\b x=y #1 $5 &c @d ^e ~f |g _h *i +j ;k :l ?m !n', null],
  ['¿Qué? ¡Sí! «no» “x” …', '¿Qué ? ¡Sí ! «no» “x” …'],
  ['&quot;a&quot; &amp;lt; &lt;b&gt; &nbsp;', '" a " < < b > & nbsp ;'],
  ['a<skipped>b', 'ab'],
  ['hy-\nphen\nnew', 'hyphen new'],
  ['a\u00a0b\u2003c\u3000d\u0085e\u001ff', 'a b c d e f'],
  ['a\ufeffb a\u200bc', 'a\ufeffb a\u200bc'],
  ['𝒳.𝒳,5', '𝒳 . 𝒳 , 5'],
  ['日本。', '日本。'],
])('cuts %j', (text, wanted) => {
  const all = '50 % a / b a \\ b x = y # 1 $ 5 & c @ d ^ e ~ f | g _ h * i + j ; k : l ? m ! n';
  expect(tokenize13a(text).join(' ')).toBe(wanted ?? all);
});
