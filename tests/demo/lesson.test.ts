// Links to lessons: what they fix comes back, and what is no value of a control is ignored.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { firstSentence, lessonQuery, readLesson } from '../../demo/learn/lesson.ts';
import { loadModel } from '../../src/entries/heddle.node.ts';

it('reads what it wrote, in any language', () => {
  const lesson = { model: 'Dates → العربية', text: 'a & b = ¿c?', values: new Map([['head cross', 3]]) };
  expect(readLesson(lessonQuery(lesson))).toEqual(lesson);
});

it('ignores what is not a number', () => {
  expect(readLesson('?head=x&layer=&mask=1&utm_source=y').values).toEqual(new Map([['mask', 1]]));
  expect(readLesson('')).toEqual({ model: undefined, text: undefined, values: new Map() });
});

it('begins with a sentence on which the model hesitates, and which it translates', async () => {
  const file = join(import.meta.dirname, '../../demo/models/en-es.safetensors');
  using model = await loadModel(file, { device: 'cpu' });
  const { targetText, next } = await model.inspect(firstSentence);
  expect(targetText).toBe('12:08 de la madrugada');
  const [first, second] = next.find(([likely]) => likely?.label === 'madrugada') ?? [];
  expect(second?.label).toBe('mañana');
  for (const likely of [first, second]) {
    expect(likely?.probability).toBeGreaterThan(0.3);
    expect(likely?.probability).toBeLessThan(0.7);
  }
});
