// Texts in which tokenizers differ: sentences, and parts of them beside characters that normalization
// changes, spaces of all kinds, emoji, unpaired surrogates and the names of tokens.
import { random } from '../../src/core/random.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';

const parts = [
  ...[
    '',
    ' ',
    '  ',
    '   ',
    '\t',
    '\n',
    '\r\n',
    '\u00a0',
    '\u3000',
    '\u2009',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u200b',
  ],
  ...[
    '\u200c',
    '\u200d',
    '\u200e',
    '\u2581',
    '\u2581\u2581',
    '\u0001',
    '\u007f',
    '\u00ad',
    '\ufffd',
    '\uffff',
    '\ufdd0',
  ],
  ...[
    '\ud800',
    '\udc00',
    '\udc01\udc02',
    '\udfff\ud83d',
    '\ud83d\ude00',
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  ],
  ...[
    '\u{1f1ea}\u{1f1f8}',
    '\u{1f44d}\u{1f3fd}',
    '\u2764\ufe0f',
    '\u{1f9d1}\u200d\u{1f680}',
    '\u{e0067}\u{e007f}',
  ],
  ...[
    'e\u0301',
    'a\u0323\u0302',
    'o\u0302\u0323',
    '\u0301',
    '\u0301\u0327c',
    'q\u0307\u0323',
    '\u0344',
    'A\u030a\u0301',
  ],
  ...[
    '\u212b',
    '\u2126',
    '\u1e9e',
    '\u00df',
    '\u0130',
    '\u03a3\u03c2',
    '\u0149',
    '\u01c5',
    '\ufb01',
    '\ufb03',
    '\uff21',
  ],
  ...[
    '\uff5e',
    '\uff01',
    '\uff71\uff9e',
    '\u3131',
    '\u1100\u1161\u11a8',
    '\uac00\u11a8',
    '\u3300',
    '\u33a5',
    '\u00bd',
  ],
  ...[
    '\u2460',
    '\u2155',
    '\u00b2',
    '\u00a8',
    '\u00b4',
    '\u2025',
    '\ufdfa',
    '\u2f00',
    '\uf900',
    '\u{2f800}',
    '\u{1d400}',
  ],
  ...[
    '\u4e2d\u6587',
    '\u65e5\u672c\u8a9e',
    '\u0928\u093f',
    '\u0e44\u0e17\u0e22',
    '\u05e9\u05dc\u05d5\u05dd',
    '\u0645',
  ],
  ...[
    '\u{1fbf0}',
    '\ua7f2',
    '\u{10781}',
    '\u13a0\uab70',
    '\u1c80',
    '$&',
    '$1',
    '$',
    '\\',
    '^',
    '[UNK]',
    '<unk>',
    '</s>',
  ],
  ...[
    '<s>',
    '<pad>',
    '</s></s>',
    '[PAD]',
    '[end]',
    '<mask>',
    '<0x41>',
    '<extra_id_0>',
    '>>fra<<',
    '>>',
    '##',
    '0',
    '10',
  ],
];

/** Different texts from a seed. `more`: further parts, such as the tokens and characters of a model. */
export function hostileTexts(count: number, seed: number, more: readonly string[] = []): string[] {
  const r = random(seed);
  const sentences = intlCorpus({ source: 'en', target: 'es', pairs: 200, seed: 1 }).flatMap((pair) =>
    Object.values(pair),
  );
  const all = [...parts, ...more];
  const words = () => {
    const list = r.pick(sentences).split(' ');
    const from = r.int(list.length);
    return list.slice(from, from + 1 + r.int(4)).join(' ');
  };
  const character = () => String.fromCharCode(r.int(2) === 0 ? r.int(0x250) : r.int(0x10000));
  const part = () =>
    [words, () => r.pick(all), () => r.pick(all), () => r.pick(['', ' ']), character][r.int(5)]?.() ?? '';
  const text = () => Array.from({ length: 1 + r.int(6) }, part).join(r.pick(['', '', ' ']));
  return [
    ...new Set(['', ' ', ...all, ...sentences.slice(0, count / 10), ...Array.from({ length: count }, text)]),
  ];
}
