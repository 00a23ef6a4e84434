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
const translated = ['city', 'country', 'language', 'day', 'days', 'month'].flatMap((slot) =>
  slots[slot].flatMap(([english]) => english.match(/\p{Lu}\p{Ll}+/gu) ?? []),
);
// Words of the templates, too.
for (const list of Object.values(slots))
  if (Array.isArray(list))
    for (const [english] of list)
      for (const [word] of english.matchAll(/\p{Ll}{2,}/gu)) if (!/\p{Lu}/u.test(english)) small.add(word);
for (const word of ['i', 'hi', 'wifi', 'online', 'email', 'dr', 'mr', 'mrs', 'ms']) small.add(word);
for (const [name, count] of names) if (count < seenOften || small.has(name.toLowerCase())) names.delete(name);
const all = [...small, ...names.keys(), ...translated, 'I'];
const list = [...new Set(all)].sort();
writeFileSync(resolve(here, '../../demo/translate/known-words.txt'), `${list.join('\n')}\n`);
console.log(`${list.length} words`);
