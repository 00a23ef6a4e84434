// Pairs of memories of each format, as they come.
import { expect, it } from 'vitest';
import { anyCodes } from '../../../src/features/documents/inline/code-patterns.ts';
import { inlineText } from '../../../src/features/documents/inline/inline-text.ts';
import { memoryPairs } from '../../../src/features/documents/memory-pairs.ts';
import { TranslationMemory } from '../../../src/features/documents/translation-memory.ts';
import type { Pair } from '../../../src/text/corpus/pairs.ts';
import { errorAbout } from '../../support/expect-error.ts';

const tu = (en: string, es: string) =>
  `<tu><tuv xml:lang="en"><seg>${en}</seg></tuv><tuv xml:lang="es"><seg>${es}</seg></tuv></tu>`;
const tmx = (units: string) =>
  `<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body>${units}</body></tmx>`;

async function read(name: string, content: string, part = 64): Promise<{ pairs: Pair[]; bytes: number }> {
  const all = new TextEncoder().encode(content);
  let [at, bytes] = [0, 0];
  const open = async () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= all.length) return controller.close();
        controller.enqueue(all.slice(at, at + part));
        at += part;
      },
    });
  const pairs: Pair[] = [];
  const onBytes = (some: number) => {
    bytes += some;
  };
  for await (const some of memoryPairs(name, { open, onBytes }, { source: 'en', target: 'es' }))
    pairs.push(...some);
  return { pairs, bytes };
}

it('reads TMX with the line breaks of its texts, TSV, CSV and JSON lines', async () => {
  const content = tmx(tu('one\n two', 'uno\n dos') + tu('a <ph x="1"/>', 'sin código'));
  expect(await read('m.tmx', content)).toEqual({
    pairs: [
      { source: 'one\n two', target: 'uno\n dos' },
      { source: 'a ', target: 'sin código' },
    ],
    bytes: content.length + 1,
  });
  const one = [{ source: 'one', target: 'uno' }];
  expect((await read('m.tsv', 'one\tuno\n')).pairs).toMatchObject(one);
  expect((await read('m.csv', 'source,target\none,uno\n')).pairs).toMatchObject(one);
  expect((await read('m.jsonl', '{"source":"one","target":"uno"}\n')).pairs).toMatchObject(one);
  await expect(read('m.tmx', '<tmx>')).rejects.toThrow(errorAbout({ area: 'm.tmx', values: [1] }));
  await expect(read('m.tmx', '')).rejects.toThrow(errorAbout({ area: 'm.tmx' }));
});

it('finds exact and similar texts among many', async () => {
  const memory = new TranslationMemory();
  const words = 'red green blue small large old new fast slow cold'.split(' ');
  for (let i = 0; i < 22_000; i++)
    memory.add({ source: `the ${words[i % 10]} house number ${i}`, target: `la casa ${i}` });
  expect(memory.size).toBe(22_000);
  const find = (text: string) => memory.find(inlineText(text, anyCodes), 0.7);
  expect(find('the red house number 120')).toEqual({ text: 'la casa 120', similarity: 1 });
  // "the", "house" and "number" are too frequent to be found by; the number is not.
  expect(find('the pink house number 21999')).toEqual({ text: 'la casa 21999', similarity: 0.8 });
  expect(memory.pair(7)).toEqual({ source: 'the fast house number 7', target: 'la casa 7' });
});
