// Three buttons that each train a model on a small task at once, while the translation box asks it a question
// until its answer is right.

import type { TaskName } from '../../../src/entries/data.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';

/** A task to teach: its name on the button, and a question with its answer. */
export interface Lesson {
  readonly task: TaskName;
  readonly name: string;
  readonly question: string;
  readonly answer: string;
}

const lessons: readonly Lesson[] = [
  { task: 'addition', name: say`Teach it to add`, question: '48+17', answer: '65' },
  { task: 'sort', name: say`Teach it to sort`, question: 'hedge', answer: 'deegh' },
  { task: 'reverse', name: say`Teach it to reverse`, question: 'hedge', answer: 'egdeh' },
];

/** The buttons. */
export class LessonButtons extends Panel {
  readonly #onTeach: (lesson: Lesson) => void;
  #isTraining = false;

  constructor(onTeach: (lesson: Lesson) => void) {
    super('row lessons');
    this.#onTeach = onTeach;
    this.draw();
  }

  setTraining(training: boolean): void {
    this.#isTraining = training;
    this.draw();
  }

  protected override template(): Content {
    return lessons.map(
      (lesson) => html`
        <button
          type="button"
          class="lesson"
          data-task=${lesson.task}
          ?disabled=${this.#isTraining}
          @click=${() => this.#onTeach(lesson)}
        ><b>${lesson.name}</b> <span class="hint">${lesson.question} → ${lesson.answer}</span></button>`,
    );
  }
}
