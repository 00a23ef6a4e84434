// Button that writes the lesson into the address of the page and copies the address.

import { copyAddress } from '../common/copy-address.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { type Lesson, lessonQuery } from './lesson.ts';

/** The button with its message. */
export class LessonLink extends Panel {
  readonly #lesson: () => Lesson;
  #note = '';

  constructor(lesson: () => Lesson) {
    super('row');
    this.#lesson = lesson;
    this.draw();
  }

  async #copy(): Promise<void> {
    history.replaceState(null, '', `${lessonQuery(this.#lesson())}${location.hash}`);
    const isCopied = await copyAddress();
    this.#note = `The address of this page is the link${isCopied ? ', and was copied' : ''}: model, sentence, chapter and controls.`;
    this.draw();
  }

  protected override template(): Content {
    return html`
      <button type="button" id="lesson-link" @click=${this.#copy}>Copy a link to this lesson</button>
      <p class="hint" role="status" id="lesson-note">${this.#note}</p>`;
  }
}
