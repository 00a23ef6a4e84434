// Buttons that each train a model on a small task at once, while the stage asks it a question; and one that opens a race.

import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { type Lesson, lessons } from './lessons.ts';

/** The buttons. */
export class LessonButtons extends Panel {
  readonly #onTeach: (lesson: Lesson) => void;
  readonly #onRace: () => void;
  readonly #onSecret: () => void;
  #isTraining = false;

  constructor(onTeach: (lesson: Lesson) => void, onRace: () => void, onSecret: () => void) {
    super('row lessons');
    this.#onTeach = onTeach;
    this.#onRace = onRace;
    this.#onSecret = onSecret;
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
    const own = (id: string, act: () => void, name: string, about: string) => html`
      <button type="button" class="lesson" id=${id} ?disabled=${this.#isTraining} @click=${act}
      ><b>${name}</b> <span class="hint">${about}</span></button>`;
    return html`${teach}
      ${own('teach-secret', () => this.#onSecret(), say`Teach it your secret language`, say`Five pairs, ten seconds`)}
      ${own('race', () => this.#onRace(), say`Race`, say`Beat a curve in 400 steps`)}`;
  }
}
