// Buttons that write the lesson into the address of the page and copy it, and that download it as programs.

import { copyAddress } from '../common/copy-address.ts';
import { say } from '../common/page-texts.ts';
import { type Content, html, Panel } from '../common/panel.ts';
import { type Lesson, lessonQuery } from './lesson.ts';

/** The button with its message. */
export class LessonLink extends Panel {
  readonly #lesson: () => Lesson;
  readonly #takeAway: () => Promise<void>;
  #note = '';

  /** `takeAway` downloads the programs. */
  constructor(lesson: () => Lesson, takeAway: () => Promise<void>) {
    super('row');
    this.#lesson = lesson;
    this.#takeAway = takeAway;
    this.draw();
  }

  async #copy(): Promise<void> {
    history.replaceState(null, '', `${lessonQuery(this.#lesson())}${location.hash}`);
    const isCopied = await copyAddress();
    this.#note = say`The address of this page is the link${isCopied ? say`, and was copied` : ''}: model, sentence, chapter and controls.`;
    this.draw();
  }

  async #download(): Promise<void> {
    this.#note = say`Writing the programs…`;
    this.draw();
    try {
      await this.#takeAway();
      this.#note = say`An archive with the model and this sentence as a program of heddle and one of PyTorch; both print the same loss.`;
    } catch (error) {
      this.#note = (error as Error).message;
    }
    this.draw();
  }

  protected override template(): Content {
    return html`
      <button type="button" id="lesson-link" @click=${this.#copy}>Copy a link to this lesson</button>
      <button type="button" id="take-away" @click=${this.#download}>Take it away as code</button>
      <p class="hint" role="status" id="lesson-note">${this.#note}</p>`;
  }
}
