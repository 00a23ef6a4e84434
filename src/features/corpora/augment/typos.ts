// Typos as people make them: swapped, missing, doubled and neighbouring letters, missing and inserted spaces.

import type { Random } from '../../../core/random.ts';

/** Rows of a keyboard; a wrong key is beside the right one. */
const keyboard = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm'];

/** One typo for about this number of characters. */
const charactersPerTypo = 40;

/** The typos: each changes the characters at an index in place. */
const typos: readonly ((characters: string[], at: number, random: Random) => void)[] = [
  (characters, at) => characters.splice(at, 2, ...characters.slice(at, at + 2).reverse()),
  (characters, at) => characters.splice(at, 1),
  (characters, at) => characters.splice(at, 0, characters[at] as string),
  (characters, at, random) => {
    characters[at] = neighbour(characters[at] as string, random);
  },
  (characters, at) => {
    const space = characters.indexOf(' ', at);
    if (space > 0) characters.splice(space, 1);
  },
  (characters, at) => characters.splice(at, 0, ' '),
];

/** A text with typos. */
export function withTypos(text: string, random: Random): string {
  const characters = Array.from(text);
  const count = 1 + random.int(1 + Math.floor(characters.length / charactersPerTypo));
  for (let i = 0; i < count && characters.length > 1; i++)
    random.pick(typos)(characters, random.int(characters.length), random);
  return characters.join('');
}

function neighbour(letter: string, random: Random): string {
  const row = keyboard.find((keys) => keys.includes(letter.toLowerCase()));
  if (!row) return letter;
  const at = row.indexOf(letter.toLowerCase());
  const near = [row[at - 1], row[at + 1]].filter((key) => key !== undefined);
  const key = random.pick(near);
  return letter === letter.toLowerCase() ? key : key.toUpperCase();
}
