// Buttons that each train a model on a small task at once, while the stage asks it a question.

import { type Content, html, Panel } from '../../common/panel.ts';
import { type Lesson, lessons } from './lessons.ts';

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
