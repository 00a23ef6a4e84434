// Makes the corpus that fine-tunes the model of the page: pairs of Tatoeba, phrases with filled slots (phrases.tsv,
// slots.json) and words of FreeDict's dictionary. A part of the names, numbers and times that both sides share become
// placeholders, which the model learns to copy. No pair has one of the sentences of ordinary-sentences.txt.
//   node scripts/general-model/make-corpus.mjs TATOEBA/train.tsv DICTIONARY.dict OUT.tsv
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withCopies } from './copies.mjs';

const here = import.meta.dirname;
const linesOf = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean);
const [tatoeba, dictionary, out] = process.argv.slice(2);
if (!out) throw new Error('usage: make-corpus.mjs TATOEBA.tsv DICTIONARY.dict OUT.tsv');

/** Copies of a phrase without slots, pairs of one with slots, and the part of pairs with copies that get placeholders. */
const [plainCopies, filledPairs, placeholderPart] = [6, 25, 0.4];
/** How often a word is in Tatoeba, at most, so that the dictionary adds it. */
const rareCount = 12;

/** Random numbers in [0, 1) with a seed (mulberry32). */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = randomOf(1);
const pick = (list) => list[Math.floor(random() * list.length)];
const between = (low, high) => low + Math.floor(random() * (high - low + 1));

const lists = Object.fromEntries(
  Object.entries(JSON.parse(readFileSync(join(here, 'slots.json'), 'utf8'))).map(([name, list]) => [
    name,
    typeof list === 'string' ? list.split(' ').map((word) => [word, word]) : list,
  ]),
);
const hours = [
  'una',
  'dos',
  'tres',
  'cuatro',
  'cinco',
  'seis',
  'siete',
  'ocho',
  'nueve',
  'diez',
  'once',
  'doce',
];
const englishHours = 'one two three four five six seven eight nine ten eleven twelve'.split(' ');
const article = (hour) => (hour === 1 ? 'la' : 'las');

/** A time in words: [English, Spanish with its article]. */
function clock() {
  const hour = between(1, 12);
  const [en, es] = [englishHours[hour - 1], `${article(hour)} ${hours[hour - 1]}`];
  return pick([
    [en, es],
    [`${en} o'clock`, es],
    [`half past ${en}`, `${es} y media`],
    [`a quarter past ${en}`, `${es} y cuarto`],
    [`a quarter to ${en}`, `${es} menos cuarto`],
    [`ten past ${en}`, `${es} y diez`],
    [`twenty past ${en}`, `${es} y veinte`],
    [`ten to ${en}`, `${es} menos diez`],
  ]);
}
/** A time in digits. */
function time() {
  const hour = between(1, 23);
  const text = `${hour}:${String(5 * between(0, 11)).padStart(2, '0')}`;
  return [text, `${article(hour)} ${text}`];
}
const numbers = 'two three four five six seven eight nine ten twelve fifteen twenty thirty'.split(' ');
const spanishNumbers = 'dos tres cuatro cinco seis siete ocho nueve diez doce quince veinte treinta'.split(
  ' ',
);
function number() {
  const i = between(0, 3 * numbers.length);
  if (i < numbers.length) return [numbers[i], spanishNumbers[i]];
  const digits = String(random() < 0.5 ? between(2, 99) : between(100, 999));
  return [digits, digits];
}
const digits = (value) => [String(value), String(value)];
const made = {
  clock,
  time,
  number,
  year: () => digits(between(1900, 2035)),
  dom: () => digits(between(1, 31)),
};

const upper = (text) => text[0].toUpperCase() + text.slice(1);
/** A form of a word that agrees with it: `{el place}`, `{roto thing}`. */
function form(word, [, spanish, gender]) {
  if (word === 'al') return gender ? `a la ${spanish}` : `al ${spanish}`;
  if (word === 'del') return gender ? `de la ${spanish}` : `del ${spanish}`;
  const feminine = { el: 'la', un: 'una', este: 'esta', ese: 'esa', las: 'las' };
  const lower = word.toLowerCase();
  const masculine = lower === 'las' ? 'los' : lower;
  const agreed = gender ? (feminine[lower] ?? lower.replace(/o$/, 'a')) : masculine;
  const text = feminine[lower] && word !== 'Este' ? `${agreed} ${spanish}` : agreed;
  return word === lower ? text : upper(text);
}
/** A pair with filled slots. */
function filled([source, target]) {
  const chosen = {};
  const english = source.replace(/\{(\w+?)(\d?)\}/g, (slot, kind, index) => {
    chosen[kind + index] = made[kind]?.() ?? pick(lists[kind]);
    if (!chosen[kind + index]) throw new Error(`there is no slot ${slot}`);
    return chosen[kind + index][0];
  });
  const withArticles = english.replace(/\b([Aa]) (?=[aeiou])(?!uni|use|one\b|euro)/gi, '$1n ');
  const spanish = target.replace(/\{([^}]+)\}/g, (slot, inside) => {
    if (chosen[inside]) return chosen[inside][1];
    const at = /^(a|A)(clock|time)$/.exec(inside);
    if (at) return `${at[1]} ${chosen[at[2]][1]}`;
    const [word, name] = inside.split(' ');
    const value = chosen[name];
    if (!value) throw new Error(`${target}: ${slot} is not in the source`);
    if (/^(clock|time)$/.test(name)) {
      if (word === 'las') return value[1];
      return `${value[1].startsWith('la ') ? 'Es' : 'Son'} ${value[1]}`;
    }
    return form(word, value);
  });
  return [
    withArticles,
    upper(spanish) === spanish || !/^[A-ZÁÉÍÓÚ]/.test(english) ? spanish : upper(spanish),
  ];
}

const phrases = linesOf(join(here, 'phrases.tsv'))
  .filter((line) => !line.startsWith('#'))
  .map((line) => line.split('\t'));
const pairs = [];
for (const phrase of phrases) {
  const hasSlots = phrase[0].includes('{');
  for (let i = 0; i < (hasSlots ? filledPairs : plainCopies); i++)
    pairs.push(hasSlots ? filled(phrase) : phrase);
}
const phraseCount = pairs.length;

const everyday = linesOf(tatoeba).map((line) => line.split('\t'));
const counts = new Map();
for (const [source] of everyday)
  for (const word of source.toLowerCase().match(/[a-z]+/g) ?? [])
    counts.set(word, (counts.get(word) ?? 0) + 1);
pairs.push(...everyday);

// Headwords of the dictionary that are rare in Tatoeba, with the first translation of their first entry.
const seen = new Set();
const entries = linesOf(dictionary);
for (let i = 0; i + 1 < entries.length; i++) {
  const head = /^([a-z]{3,}) .*<(n|adj|v)>$/.exec(entries[i]);
  if (!head || seen.has(head[1]) || !(counts.get(head[1]) <= rareCount)) continue;
  const translation = entries[i + 1].replace(/ 2\.$/, '').replace(/^1\. /, '').split(',')[0].trim();
  if (!/^[a-záéíóúüñ]+$/.test(translation)) continue;
  seen.add(head[1]);
  pairs.push([head[1], translation]);
}

const key = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
const kept = new Set(linesOf(join(here, 'ordinary-sentences.txt')).map(key));
const mixed = pairs
  .filter(([source]) => !kept.has(key(source)))
  .map((pair) => (random() < placeholderPart ? withCopies(pair) : pair));
writeFileSync(out, `${mixed.map((pair) => pair.join('\t')).join('\n')}\n`);
console.log(
  `${mixed.length} pairs: ${everyday.length} of Tatoeba, ${phraseCount} of phrases, ${seen.size} words of the dictionary`,
);
