// What the page Translate does to a sentence before and after the model: placeholders, capitals, fragments, dates, prices.
import { expect, it } from 'vitest';
import { KnownWords } from '../../demo/translate/worker/known-words.ts';
import { lostCopies, prepareText, restoreText } from '../../demo/translate/worker/prepared-text.ts';

const words = new KnownWords('the is on at meeting call me i do not know where train leaves London');
const prepare = (text: string, asSentence = false) =>
  prepareText(text, words, { withCopies: true, asSentence });

/** The sentence with `n` for each name, `#` for each number and `t` for each time. */
const read = (text: string) =>
  prepare(text).text.replace(/[\ue100-\ue107]/g, (each) => '<nnn###tt'.at(each.charCodeAt(0) - 0xe0ff) ?? '');

it('copies names, numbers, scores, times, codes, addresses and telephone numbers', () => {
  expect(read('Call Zork at 9:30, London.')).toBe('Call n at t, London.');
  expect(read('The train BA249 is 3-1.')).toBe('The train n is #.');
  expect(read('Call me at 555-1234')).toBe('Call me at n');
  expect(read('The is a@b.example.')).toBe('The is n.');
});

it.each([
  ['The meeting is on March 5, 2024.', 'La reunión es en #.', 'La reunión es el 5 de marzo de 2024.'],
  ['The meeting is on the 2nd of June.', '# es la reunión.', 'El 2 de junio es la reunión.'],
  ['The meeting is at 1 May.', 'Hasta el # de #.', 'Hasta el 1 de mayo de #.'],
  ['The train is €45.', 'Cuesta #.', 'Cuesta 45 euros.'],
  ['Call me 1,200.', '# llamadas', '1,200 llamadas'],
])('writes dates and prices in Spanish: %s', (source, translation, wanted) => {
  const prepared = prepare(source);
  const [placeholder = ''] = prepared.copies.keys();
  expect(restoreText(prepared, translation.replace('#', placeholder))).toBe(wanted);
});

it('reads capitals as a sentence, and a fragment as one if asked to', () => {
  expect(prepare('THE TRAIN LEAVES').text).toBe('The train leaves');
  expect(restoreText(prepare('THE TRAIN LEAVES'), 'El tren sale')).toBe('EL TREN SALE');
  expect(prepare('i do not know', true).text).toBe('I do not know.');
  expect(restoreText(prepare('i do not know', true), 'No sé.')).toBe('No sé');
  expect(prepare('where is the train', true).text).toBe('Where is the train?');
  expect(prepare('The train leaves.', true).text).toBe('The train leaves.');
  expect(prepare('I don’t know.').text).toBe("I don't know.");
});

it('tells which placeholders a translation has lost, or has twice', () => {
  const prepared = prepare('Zork meeting Xorn at 9');
  const [first = '', second = '', number = ''] = prepared.copies.keys();
  expect(lostCopies(prepared, `${first} ${second} ${number}`)).toEqual(new Set());
  expect(lostCopies(prepared, `${first} ${first} ${number}`)).toEqual(new Set([first, second]));
});
