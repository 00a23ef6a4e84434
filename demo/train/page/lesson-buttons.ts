// Buttons that each train a model on a small task at once, while the stage asks it a question; and one that opens a race.

import { type Content, html, Panel } from '../../common/panel.ts';
import { type Lesson, lessons } from './lessons.ts';

/** The buttons. */
export class LessonButtons extends Panel {
  readonly #onTeach: (lesson: Lesson) => void;
  readonly #onRace: () => void;
  #isTraining = false;

  constructor(onTeach: (lesson: Lesson) => void, onRace: () => void) {
    super('row lessons');
    this.#onTeach = onTeach;
    this.#onRace = onRace;
    this.draw();
  }

  setTraining(training: boolean): void {
    this.#isTraining = training;
    this.draw();
  }

  protected override template(): Content {
    const teach = lessons.map(
      (lesson) => html`
        <button
          type="button"
          class="lesson"
          data-task=${lesson.task}
          ?disabled=${this.#isTraining}
          @click=${() => this.#onTeach(lesson)}
        ><b>${lesson.name}</b> <span class="hint">${lesson.question} → ${lesson.answer}</span></button>`,
    );
    return html`${teach}
      <button type="button" class="lesson" id="race" ?disabled=${this.#isTraining} @click=${() => this.#onRace()}
      ><b>Race</b> <span class="hint">Beat a curve in 400 steps</span></button>`;
  }
}
