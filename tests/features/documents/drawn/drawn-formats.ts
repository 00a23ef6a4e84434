// Documents of drawn segments: how each format writes segments and codes, and how the translations are read from the
// file, without the parsers of src/.

import type { CodeDrawer, Dice, DrawnCode } from './drawn-segments.ts';

/** A format. */
export interface DrawnFormat extends CodeDrawer {
  readonly file: string;
  /** A file of segments. */
  write(segments: readonly string[]): string;
  /** The translations in a file, in order. */
  read(file: string): string[];
  /** The text that a written text stands for. */
  unescape(written: string): string;
  /** Whether codes such as `%s` keep their order. */
  readonly isOrderKept?: boolean;
}

const same = (text: string): string => text;
const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const unescapeXml = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** Codes of programs that any text may have. */
const anyText = (dice: Dice, n: number): DrawnCode => {
  const written = dice.of([
    '%s', '%d', `%${n}$s`, `%(name${n})s`, `{${n}}`, `{name${n}}`, '{}', `\${v${n}}`, '%%', `https://a.org/${n}?b=c`,
    `me${n}@a.org`, `<img src="${n}.png"/>`, '<br/>', '&nbsp;', '&copy;', '{n, plural, one {# file} other {# files}}',
  ]); // biome-ignore format: a list
  return { written, free: freeOf(written) };
};

/** What may not touch a code of a program. */
const freeOf = (written: string): DrawnCode['free'] =>
  /^(?:https?:|me\d)/.test(written) ? 'of all' : /^%[^%]/.test(written) ? 'of letters' : undefined;

/** The code as XML has it. */
const anyXmlText = (dice: Dice, n: number): DrawnCode => {
  const { written, free } = anyText(dice, n);
  return { written: escapeXml(written), free };
};

/** Names of character references: marks, spaces, letters that are signs, numbers, one of two characters. */
const references =
  'copy reg trade amp lt gt quot nbsp ensp emsp thinsp shy zwj zwnj mdash ndash hellip bull middot laquo raquo ldquo rdquo lsquo rsquo sbquo sect para dagger deg plusmn times divide minus ne le ge asymp infin radic sum prod int part nabla larr rarr uarr harr hearts check star euro pound yen cent curren frac12 frac34 sup2 sup3 sub alpha beta pi Omega micro ordm ordf alefsym prime Prime oline loz caret nvlt Tab'.split(
    ' ',
  );

/** A character reference by a name or a number, of a sign: letters and digits are text. */
function reference(dice: Dice): DrawnCode {
  const kind = dice.below(8);
  if (kind < 4) {
    const written = `&${dice.of(references)};`;
    // Between two letters it is the apostrophe of a word.
    return { written, free: written === '&rsquo;' ? 'of letters' : undefined };
  }
  // Without a semicolon, what is next to a reference would change it.
  if (kind === 4)
    return { written: dice.of(['&copy', '&reg', '&laquo', '&para', '&#169', '&#x2022']), free: 'of all' };
  const [first, count] = dice.of([
    [0xa1, 9], [0x2010, 8], [0x201a, 14], [0x2030, 15], [0x2190, 112], [0x2200, 255], [0x2460, 60], [0x2600, 250], [0x1f300, 200],
    [0x80, 1], [0x96, 2], [0xe000, 200],
  ]) as [number, number]; // biome-ignore format: a list
  const code = first + dice.below(count);
  const hex = code.toString(16);
  return {
    written: dice.of([`&#${code};`, `&#0${code};`, `&#x${hex};`, `&#X${hex.toUpperCase()};`, `&#x00${hex};`]),
  };
}

/** The reference or another code of HTML without a pair. */
const referenceOrCode = (dice: Dice, n: number): DrawnCode =>
  dice.chance(0.8) ? reference(dice) : { written: dice.of([`{name${n}}`, `{${n}}`]) };

const tags = (dice: Dice, n: number) => {
  const name = dice.of(['b', 'i', 'em', 'span', 'a']);
  return { open: name === 'a' ? `<a href="x${n}">` : `<${name}>`, close: `</${name}>` };
};

const unitsOf = (segments: readonly string[], unit: (text: string, id: number) => string): string =>
  segments.map((text, i) => unit(text, i)).join('\n');

/** The contents of the elements that a pattern finds. */
const contents = (file: string, pattern: RegExp): string[] =>
  [...file.matchAll(pattern)].map(([, content = '']) => content);

/** The strings of msgstr lines. */
function readPo(file: string): string[] {
  const quoted = (line: string) => line.slice(line.indexOf('"') + 1, line.lastIndexOf('"'));
  const strings: string[] = [];
  let isOpen = false;
  for (const line of file.split('\n')) {
    if (/^msgstr/.test(line)) strings.push(quoted(line));
    else if (/^"/.test(line) && isOpen) strings.push((strings.pop() ?? '') + quoted(line));
    isOpen = /^msgstr/.test(line) || (isOpen && /^"/.test(line));
  }
  return strings
    .slice(1)
    .map((text) => text.replace(/\\(.)/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c));
}

const quote = (text: string): string =>
  `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`;

const writePo = (segments: readonly string[], flag: string): string =>
  `msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n${unitsOf(
    segments,
    (text, i) => `${flag}msgctxt "${i}"\nmsgid ${quote(text)}\nmsgstr ""\n`,
  )}`;

const xliff1 = (segments: readonly string[]): string =>
  `<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file original="x" source-language="en" datatype="plaintext"><body>\n${unitsOf(
    segments,
    (text, i) => `<trans-unit id="${i}"><source>${text}</source></trans-unit>`,
  )}\n</body></file></xliff>\n`;

const xliff2 = (segments: readonly string[], version: string): string =>
  `<xliff version="${version}" xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en"><file id="f">\n${unitsOf(
    segments,
    (text, i) => `<unit id="${i}"><segment><source>${text}</source></segment></unit>`,
  )}\n</file></xliff>\n`;

/** XLIFF 2.0, and 2.1, which has its namespace. */
const xliff2Format = (version: string): DrawnFormat => ({
  file: 'a.xliff',
  single: (dice, n) =>
    dice.chance(0.3)
      ? anyXmlText(dice, n)
      : {
          written: dice.of([
            `<ph id="${n}"/>`,
            '<cp hex="001A"/>',
            `<mrk id="p${n}" translate="no">ab</mrk>`,
          ]),
        },
  pair: (dice, n) =>
    dice.of([
      { open: `<pc id="${n}">`, close: '</pc>' },
      { open: `<sc id="${n}"/>`, close: `<ec startRef="${n}"/>` },
      { open: `<mrk id="m${n}" type="term">`, close: '</mrk>' },
    ]),
  escape: escapeXml,
  unescape: unescapeXml,
  spaces: ['  ', '\u00a0', '\n'],
  write: (segments) => xliff2(segments, version),
  read: (file) => contents(file, /<target[^>]*>(.*?)<\/target>/gs),
});

/** The formats by name. */
export const drawnFormats: Readonly<Record<string, DrawnFormat>> = {
  po: {
    file: 'a.po',
    single: anyText,
    pair: tags,
    escape: same,
    unescape: same,
    spaces: ['\t', '\n', '  ', '\u00a0'],
    hasEndSpaces: true,
    write: (segments) => writePo(segments, ''),
    read: readPo,
  },
  'po with c-format': {
    file: 'a.po',
    single(dice, n) {
      const written = dice.of(['%s', '%d', '%ld', '%5.2f', '%-10s', '%zu', '%c', '%%', `https://a.org/${n}`]);
      return {
        written,
        isOrdered: /^%[^%]/.test(written),
        free: freeOf(written) === 'of all' ? 'of all' : undefined,
      };
    },
    pair: tags,
    // A text with % is another directive.
    escape: (text) => text.replaceAll('%', '+'),
    unescape: same,
    spaces: ['\n', '  '],
    hasEndSpaces: true,
    write: (segments) => writePo(segments, '#, c-format\n'),
    read: readPo,
    isOrderKept: true,
  },
  'xliff 1.2': {
    file: 'a.xlf',
    single: (dice, n) =>
      dice.chance(0.3)
        ? anyXmlText(dice, n)
        : {
            written: dice.of([
        `<x id="${n}"/>`, `<ph id="${n}">{0}</ph>`, `<it id="${n}" pos="open">&lt;b&gt;</it>`, `<bx id="${n}"/>`,
        `<mrk mtype="protected" mid="p${n}">ab cd</mrk>`
      ]), // biome-ignore format: a list
          },
    pair: (dice, n) => {
      const kind = dice.of(['g', 'mrk', 'bpt']);
      if (kind === 'bpt')
        return { open: `<bpt id="${n}">&lt;b&gt;</bpt>`, close: `<ept id="${n}">&lt;/b&gt;</ept>` };
      return kind === 'g'
        ? { open: `<g id="${n}">`, close: '</g>' }
        : { open: `<mrk mtype="term" mid="m${n}">`, close: '</mrk>' };
    },
    escape: escapeXml,
    unescape: unescapeXml,
    spaces: ['  ', '\u00a0', '\n'],
    write: xliff1,
    read: (file) => contents(file, /<target[^>]*>(.*?)<\/target>/gs),
  },
  'xliff 2.0': xliff2Format('2.0'),
  'xliff 2.1': xliff2Format('2.1'),
  html: {
    file: 'a.html',
    single(dice, n) {
      const written = dice.of([
        '<br>', `<img src=${n}>`, '<br/>', `<code>x = ${n}</code>`, '<kbd>Ctrl</kbd>', '<samp>ok no</samp>', '<var>n</var>',
        `<span translate="no">Name ${n}</span>`, '&copy;', '&amp;', '&lt;', '&gt;', '&mdash;', '&nbsp;', '&#169;', '&#x2014;',
        '&hellip;', '&quot;', '%s', `{name${n}}`, `https://a.org/${n}`,
      ]); // biome-ignore format: a list
      return { written, free: freeOf(written) };
    },
    // An element a in an element a ends that.
    pair(dice, n) {
      const name = dice.of(['b', 'i', 'em', 'span', 'u']);
      return { open: dice.chance(0.3) ? `<${name} class="c${n}">` : `<${name}>`, close: `</${name}>` };
    },
    escape: escapeXml,
    unescape: unescapeXml,
    spaces: [' '],
    write: (segments) => unitsOf(segments, (text, i) => `<p id="${i}">${text}</p>`),
    read: (file) => contents(file, /<p id="\d+">(.*?)<\/p>/gs),
  },
  'html references': {
    file: 'a.html',
    single: referenceOrCode,
    pair: (dice, n) => {
      const name = dice.of(['b', 'i', 'span']);
      return { open: `<${name} class="c${n}" title="A &amp; B">`, close: `</${name}>` };
    },
    escape: escapeXml,
    unescape: unescapeXml,
    spaces: [' '],
    write: (segments) => unitsOf(segments, (text, i) => `<td id="${i}">${text}</td>`),
    // The words in a title are translated, too; its reference stays.
    read: (file) =>
      contents(file, /<td id="\d+">(.*?)<\/td>/gs).map((text) =>
        text.replace(/title="[^"&]*&amp;[^"&]*"/g, 'title="A &amp; B"'),
      ),
  },
  'html attributes': {
    file: 'a.html',
    single: referenceOrCode,
    escape: (text) => escapeXml(text).replaceAll('"', '+'),
    unescape: unescapeXml,
    spaces: ['  '],
    write: (segments) => unitsOf(segments, (text) => `<p><img alt="${text}"></p>`),
    read: (file) => contents(file, /<img alt="(.*?)">/gs),
  },
  srt: {
    file: 'a.srt',
    single(dice, n) {
      const written = dice.of(['%s', `{${n}}`, `https://a.org/${n}`]);
      return { written, free: freeOf(written) };
    },
    pair: (dice, n) =>
      dice.of([
        { open: '<i>', close: '</i>' },
        { open: `<font color="#${String(n).padStart(6, '0')}">`, close: '</font>' },
      ]),
    escape: same,
    unescape: same,
    spaces: ['\n'],
    write: (segments) =>
      unitsOf(segments, (text, i) => `${i + 1}\n00:00:0${i % 10},000 --> 00:00:09,000\n${text}\n`),
    read: (file) => contents(`${file}\n`, /-->[^\n]*\n(.*?)\n(?=\n)/gs),
  },
  vtt: {
    file: 'a.vtt',
    single: (dice) => ({ written: dice.of(['<00:00:01.000>', '&nbsp;', '&amp;']) }),
    pair: (dice, n) =>
      dice.of([
        { open: `<v Bob ${n}>`, close: '</v>' },
        { open: '<c.a>', close: '</c>' },
        { open: '<b>', close: '</b>' },
      ]),
    escape: (text) => text.replaceAll('&', '+'),
    unescape: same,
    spaces: ['\n'],
    write: (segments) =>
      `WEBVTT\n\n${unitsOf(segments, (text, i) => `${i}\n00:0${i % 10}.000 --> 00:09.000 line:0\n${text}\n`)}`,
    read: (file) => contents(`${file}\n`, /-->[^\n]*\n(.*?)\n(?=\n)/gs),
  },
  text: {
    file: 'a.txt',
    single: anyText,
    pair: tags,
    escape: same,
    unescape: same,
    spaces: ['\t', '  ', '\n'],
    write: (segments) => segments.join('\n\n'),
    read: (file) => file.split('\n\n'),
  },
};
