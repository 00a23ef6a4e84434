// Links to lessons: what they fix comes back, and what is no value of a control is ignored.
import { expect, it } from 'vitest';
import { lessonQuery, readLesson } from '../../demo/learn/lesson.ts';

it('reads what it wrote, in any language', () => {
  const lesson = { model: 'Dates → العربية', text: 'a & b = ¿c?', values: new Map([['head cross', 3]]) };
  expect(readLesson(lessonQuery(lesson))).toEqual(lesson);
});

it('ignores what is not a number', () => {
  expect(readLesson('?head=x&layer=&mask=1&utm_source=y').values).toEqual(new Map([['mask', 1]]));
  expect(readLesson('')).toEqual({ model: undefined, text: undefined, values: new Map() });
});
