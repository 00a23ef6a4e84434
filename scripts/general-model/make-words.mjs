// Writes demo/translate/known-words.txt: the English words of Tatoeba's training pairs. Words that are in small letters
// at least once are in small letters; a name is in the list if the model has seen it often, or learned a translation
// of it (slots.json).
//   node scripts/general-model/make-words.mjs TATOEBA/train.tsv
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const here = import.meta.dirname;
/** How often the model has seen a name that is in the list. */
const seenOften = 25;

const sources = readFileSync(process.argv[2], 'utf8')
  .split('\n')
  .map((line) => line.split('\t')[0] ?? '');
const small = new Set();
const names = new Map();
const texts = new Set(sources);
for (const text of texts)
  for (const [word] of text.matchAll(/\p{L}+/gu)) {
    if (/^\p{Ll}+$/u.test(word)) small.add(word);
    else if (/^\p{Lu}\p{Ll}+$/u.test(word)) names.set(word, (names.get(word) ?? 0) + 1);
  }
const slots = JSON.parse(readFileSync(join(here, 'slots.json'), 'utf8'));
const phrases = readFileSync(join(here, 'phrases.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.replace(/\{[^}]*\}/g, '_').split('\t'));
const written = [...Object.values(slots).filter(Array.isArray).flat(), ...phrases];
// Words of the templates, too: those in small letters, and names that have a Spanish word of their own.
const translated = ['city', 'country', 'language', 'day', 'days', 'month'].flatMap((slot) =>
  slots[slot].flatMap(([english]) => english.match(/\p{Lu}\p{Ll}+/gu) ?? []),
);
for (const [english, spanish] of written)
  for (const { 0: word, index } of english.matchAll(/\p{L}{2,}/gu)) {
    if (/^\p{Ll}+$/u.test(word)) small.add(word);
    else if (
      /^\p{Lu}\p{Ll}+$/u.test(word) &&
      (index > 0 || !english.includes(' ')) &&
      !spanish.includes(word)
    )
      translated.push(word);
  }
for (const word of ['i', 'hi', 'wifi', 'online', 'email', 'dr', 'mr', 'mrs', 'ms']) small.add(word);
for (const [name, count] of names) if (count < seenOften || small.has(name.toLowerCase())) names.delete(name);
const all = [...small, ...names.keys(), ...translated, 'I'];
const list = [...new Set(all)].sort();
writeFileSync(resolve(here, '../../demo/translate/known-words.txt'), `${list.join('\n')}\n`);
console.log(`${list.length} words`);
