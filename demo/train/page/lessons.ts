// The lessons of the page Train: small tasks with a question, and the right answer to any question of the task.

import type { TaskName } from '../../../src/entries/data.ts';
import { say } from '../../common/page-texts.ts';

/** A task to teach. */
export interface Lesson {
  readonly task: TaskName;
  readonly name: string;
  /** The question that the stage asks first, and its answer. */
  readonly question: string;
  readonly answer: string;
  /** The right answer to a question; undefined for a text that is no question of the task. */
  readonly answerOf: (question: string) => string | undefined;
}

const isWord = (text: string): boolean => /^[a-z]{1,12}$/.test(text);

/** The lessons, in the order of their buttons. */
export const lessons: readonly Lesson[] = [
  {
    task: 'addition',
    name: say`Teach it to add`,
    question: '48+17',
    answer: '65',
    answerOf(question) {
      const [, a, b] = /^(\d{1,2})\+(\d{1,2})$/.exec(question) ?? [];
      return a === undefined ? undefined : String(Number(a) + Number(b));
    },
  },
  {
    task: 'sort',
    name: say`Teach it to sort`,
    question: 'hedge',
    answer: 'deegh',
    answerOf: (question) => (isWord(question) ? [...question].sort().join('') : undefined),
  },
  {
    task: 'reverse',
    name: say`Teach it to reverse`,
    question: 'hedge',
    answer: 'egdeh',
    answerOf: (question) => (isWord(question) ? [...question].reverse().join('') : undefined),
  },
];
