// The stage: a question and the answer of the model in training, large, with its loss small. A lesson asks its question
// again and again; another training shows a dev sentence at each evaluation; a race shows two losses.

import { live } from 'lit-html/directives/live.js';
import { fixed, formatDuration, formatInteger } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, nothing, Panel } from '../../common/panel.ts';
import type { SessionEvent, SessionState } from '../protocol.ts';
import { Series } from './averaged-series.ts';
import type { Lesson } from './lessons.ts';
import { type Comparison, type Curve, compare } from './shared-curve.ts';
import './stage.css';
import { isRunning } from './run-panel.ts';

/** What the stage shows: a lesson, dev sentences of another training, or a race against the curve of another run. */
export interface Act {
  readonly lesson?: Lesson;
  readonly race?: Curve;
}

/** Parts of the page that the stage uses. */
export interface StageHost {
  /** Translates a question with the model in training; resolves to the answer and the updates before it. */
  readonly ask: (question: string) => Promise<{ readonly text: string; readonly step: number }>;
  /** Saves or copies a picture of what the stage shows; resolves to a message. */
  readonly picture: (shown: StagePicture) => Promise<string>;
  readonly racePicture: (shown: RacePicture) => Promise<string>;
}

/** What a picture of the stage shows. */
export interface StagePicture {
  readonly question: string;
  readonly answer: string;
  readonly isRight: boolean;
  /** Earlier answers, the first first. */
  readonly trail: readonly string[];
  readonly caption: string;
  readonly loss: readonly number[];
}

/** What a picture of a race shows: losses by step. */
export interface RacePicture {
  readonly own: Curve;
  readonly other: Curve;
  readonly verdict: string;
  readonly losses: Comparison;
}

/** An answer of the model after a step. */
interface Answer {
  readonly text: string;
  readonly step: number;
  readonly isRight: boolean;
}

/** Number of answers before the present one that are shown. */
const maxTrail = 7;

/** Longest dev sentence that is shown, in characters. */
const maxSentence = 60;

/** Longest answer to a question that is shown, in characters: a model that knows nothing does not stop. */
const maxAnswer = 10;

/** An answer of a lesson as it is shown. */
function shortAnswer(text: string): string {
  const characters = [...text.replaceAll('[UNK]', '?')];
  return characters.length > maxAnswer
    ? `${characters.slice(0, maxAnswer - 1).join('')}…`
    : characters.join('');
}

/** A question is asked at most so much of the time: the rest is for training. */
const askedShare = 0.2;

/** The stage. */
export class LearningStage extends Panel {
  readonly #host: StageHost;
  readonly #loss = new Series();
  #act: Lesson | undefined;
  #race: Curve | undefined;
  #question = '';
  /** The right answer; undefined if it is not known. */
  #expected: string | undefined;
  /** The answers that differ, the newest last. */
  #answers: readonly Answer[] = [];
  #learned: { readonly step: number; readonly seconds: number } | undefined;
  #state: SessionState = 'idle';
  #step = 0;
  #steps = 0;
  #startedAt = 0;
  #isAsking = false;
  /** Time before which the question is not asked again. */
  #askAgainAt = 0;
  #timer = 0;
  #note = '';

  constructor(host: StageHost) {
    super('stage-act');
    this.#host = host;
    this.draw();
  }

  /** Shows the training that begins. */
  open({ lesson, race }: Act): void {
    this.#act = lesson;
    this.#race = lesson ? undefined : race;
    this.#loss.clear();
    this.#setQuestion(lesson?.question ?? '');
    [this.#step, this.#steps, this.#startedAt, this.#askAgainAt] = [0, 0, 0, 0];
    this.draw();
  }

  onEvent(event: SessionEvent): void {
    switch (event.type) {
      case 'state':
        this.#state = event.state;
        [this.#step, this.#steps] = [event.step, event.steps];
        if (event.state === 'done' || event.state === 'stopped') void this.#ask(true);
        break;
      case 'started':
        this.#startedAt = performance.now();
        break;
      case 'steps':
        for (const { step, loss } of event.steps) this.#loss.add(step, loss);
        this.#step = event.steps.at(-1)?.step ?? this.#step;
        void this.#ask();
        break;
      case 'samples':
        this.#showSample(event.samples, event.step);
        break;
      default:
        return;
    }
    this.drawSoon();
  }

  get #answer(): Answer | undefined {
    return this.#answers.at(-1);
  }

  #setQuestion(question: string): void {
    this.#question = question;
    this.#expected = this.#act?.answerOf(question);
    this.#answers = [];
    this.#learned = undefined;
    this.#note = '';
  }

  #edit(event: Event): void {
    this.#setQuestion((event.target as HTMLInputElement).value.trim());
    this.drawSoon();
    void this.#ask(true);
  }

  /** Asks the model the question; later if it was asked just now. */
  async #ask(isForced = false): Promise<void> {
    const question = this.#question;
    if (!this.#act || question === '' || this.#isAsking || this.#step === 0) return;
    window.clearTimeout(this.#timer);
    const wait = this.#askAgainAt - performance.now();
    if (wait > 0 && !isForced) {
      this.#timer = window.setTimeout(() => void this.#ask(), wait);
      return;
    }
    this.#isAsking = true;
    const begin = performance.now();
    try {
      const { text, step } = await this.#host.ask(question);
      if (question === this.#question) this.#show(text, step);
    } catch (error) {
      // The training has ended or its device was lost meanwhile: the next step asks again.
      console.warn('the stage got no answer:', error);
    }
    this.#isAsking = false;
    this.#askAgainAt = performance.now() + (performance.now() - begin) * (1 / askedShare - 1);
    if (question !== this.#question) void this.#ask(true); // it was changed meanwhile
    this.drawSoon();
  }

  #show(text: string, step: number): void {
    const isRight = text === this.#expected;
    const shown = this.#act ? shortAnswer(text) : text;
    if (this.#answer?.text !== shown)
      this.#answers = [...this.#answers, { text: shown, step, isRight }].slice(-maxTrail - 1);
    if (isRight && !this.#learned)
      this.#learned = { step, seconds: (performance.now() - this.#startedAt) / 1000 };
  }

  /** Shows the dev sentence that is shown already, or the first short one. */
  #showSample(samples: (SessionEvent & { type: 'samples' })['samples'], step: number): void {
    if (this.#act || this.#race) return;
    const known = samples.find(({ source }) => source === this.#question);
    const found = known ?? samples.find(({ source }) => source.length <= maxSentence) ?? samples[0];
    if (!found) return;
    this.#question = found.source;
    this.#expected = found.reference;
    this.#step = Math.max(this.#step, step);
    this.#show(found.translation, step);
  }

  async #takePicture(): Promise<void> {
    const { text = '', isRight = false } = this.#answer ?? {};
    this.#note = await this.#host.picture({
      question: this.#question,
      answer: text,
      isRight,
      trail: this.#answers.slice(0, -1).map((each) => each.text),
      caption: this.#verdict(),
      loss: this.#loss.ys,
    });
    this.draw();
  }

  /** The losses at the last point of the other curve that this run has reached. */
  get #comparison(): Comparison | undefined {
    return this.#race && compare(this.#loss, this.#race);
  }

  async #takeRacePicture(): Promise<void> {
    const { xs, ys } = this.#loss;
    const losses = this.#comparison;
    if (!losses || !this.#race) return;
    const own = xs.map((x, i) => [x, ys[i] as number] as const);
    this.#note = await this.#host.racePicture({
      own,
      other: this.#race,
      verdict: this.#raceVerdict(),
      losses,
    });
    this.draw();
  }

  #raceVerdict(): string {
    const found = this.#comparison;
    if (!found || !this.#race) return say`The lower loss at the last step wins.`;
    const [last = 0] = this.#race.at(-1) ?? [];
    const gap = fixed(Math.abs(found.other - found.own), 3);
    if (found.step < last)
      return found.own < found.other ? say`You are ahead by ${gap}.` : say`You are behind by ${gap}.`;
    return found.own < found.other
      ? say`You win by ${gap} after ${formatInteger(last)} steps.`
      : say`You lose by ${gap} after ${formatInteger(last)} steps. Another learning rate or warm-up?`;
  }

  /** A race: two losses, and both curves. */
  #raceTemplate(race: Curve): Content {
    const found = this.#comparison;
    const isAhead = found !== undefined && found.own < found.other;
    const shown = (loss: number | undefined) => (loss === undefined ? '?' : fixed(loss, 3));
    return html`
      <div class="stage-lines stage-race" .style=${'--length: 5'}>
        <p class="stage-side"><small>your loss</small><output class=${isAhead ? 'stage-answer right' : 'stage-answer'} id="stage-answer">${shown(found?.own)}</output></p>
        <span class="stage-arrow" aria-hidden="true">${isAhead ? '<' : '>'}</span>
        <p class="stage-side"><small>to beat</small><span id="stage-other">${shown(found?.other)}</span></p>
      </div>
      ${this.#curve(race)}
      <p class=${isAhead ? 'stage-verdict right' : 'stage-verdict'} id="learned" role="status">${this.#raceVerdict()}</p>
      <div class="row stage-foot">
        <span class="hint number">${this.#progress()}</span>
        <button
          type="button"
          class="push"
          id="stage-picture"
          ?hidden=${!found}
          @click=${this.#takeRacePicture}
        >Copy a picture</button>
      </div>
      <p class="hint" role="status" id="stage-note" ?hidden=${this.#note === ''}>${this.#note}</p>`;
  }

  protected override template(): Content {
    if (this.#race) return this.#raceTemplate(this.#race);
    const answer = this.#answer;
    const length = Math.max(5, this.#question.length, this.#expected?.length ?? 0);
    return html`
      <div class="stage-lines" .style=${`--length: ${length}`}>
        ${this.#act ? this.#questionField() : html`<p class="stage-question" dir="auto" id="stage-question">${this.#question}</p>`}
        <span class="stage-arrow" aria-hidden="true" ?hidden=${this.#question === ''}>→</span>
        <output
          class=${answer?.isRight ? 'stage-answer right' : 'stage-answer'}
          id="stage-answer"
          dir="auto"
          for="stage-question"
        >${answer ? this.#characters(answer) : this.#waiting()}</output>
      </div>
      <ol class="stage-trail" aria-label="Earlier answers">
        ${this.#answers
          .slice(0, -1)
          .map(
            ({ text, step, isRight }) =>
              html`<li class=${isRight ? 'right' : ''}><span dir="auto">${text || '∅'}</span> <small>step ${formatInteger(step)}</small></li>`,
          )}
      </ol>
      <p class=${this.#learned ? 'stage-verdict right' : 'stage-verdict'} id="learned" role="status">${this.#verdict()}</p>
      <div class="row stage-foot">
        ${this.#curve()}
        <span class="hint number">${this.#progress()}</span>
        <button
          type="button"
          class="push"
          id="stage-picture"
          ?hidden=${!answer}
          @click=${this.#takePicture}
        >Copy a picture</button>
      </div>
      <p class="hint" role="status" id="stage-note" ?hidden=${this.#note === ''}>${this.#note}</p>`;
  }

  #questionField(): Content {
    return html`<input
      type="text"
      class="stage-question"
      id="stage-question"
      aria-label="Question"
      autocomplete="off"
      spellcheck="false"
      maxlength="12"
      .value=${live(this.#question)}
      @change=${this.#edit}
      @input=${this.#edit}
    />`;
  }

  /** The answer, with the characters that are right in their place. */
  #characters({ text, isRight }: Answer): Content {
    if (text === '') return html`<span class="soft">∅</span>`;
    if (isRight || this.#expected === undefined) return text;
    const expected = [...this.#expected];
    return [...text].map((each, i) => (each === expected[i] ? html`<b>${each}</b>` : each));
  }

  #waiting(): Content {
    if (this.#act) return html`<span class="stage-wait unknown">?</span>`;
    return html`<span class="stage-wait">Its first answer comes with the first evaluation.</span>`;
  }

  #verdict(): string {
    const learned = this.#learned;
    if (learned)
      return say`Right after ${formatInteger(learned.step)} steps, ${formatDuration(learned.seconds)}.`;
    if (this.#act && this.#expected === undefined)
      return say`No question of this task. Try ${this.#act.question}.`;
    if (!this.#answer) return this.#act ? say`It has never seen a number or a letter. Watch its answer.` : '';
    if (isRunning(this.#state)) return say`Wrong. It is learning.`;
    return this.#expected === undefined ? '' : say`Not learned: ${this.#expected} is right. Train it longer.`;
  }

  #progress(): string {
    const loss = Number.isFinite(this.#loss.last) ? say`loss ${fixed(this.#loss.last, 2)}` : '';
    const step =
      this.#steps > 0 ? say`step ${formatInteger(this.#step)} of ${formatInteger(this.#steps)}` : '';
    return [loss, step].filter(Boolean).join(' · ');
  }

  /** The loss as a line, small or above that of another run. */
  #curve(other: Curve = []): Content {
    const { xs, ys } = this.#loss;
    if (ys.length < 2 && other.length === 0) return nothing;
    const top = Math.max(...ys, ...other.map(([, y]) => y));
    const right = Math.max(this.#steps, xs.at(-1) ?? 1, other.at(-1)?.[0] ?? 0);
    const line = (points: Curve) =>
      points
        .map(([x, y]) => `${((120 * x) / right).toFixed(1)},${(34 - (32 * y) / top).toFixed(1)}`)
        .join(' ');
    const own = line(ys.map((y, i) => [xs[i] as number, y] as const));
    if (other.length > 0)
      return html`<svg class="stage-curve wide" viewBox="0 0 120 36" preserveAspectRatio="none" aria-hidden="true"><polyline class="other" points=${line(other)}></polyline><polyline points=${own}></polyline></svg>`;
    return html`<svg class="stage-curve" viewBox="0 0 120 36" aria-hidden="true"><polyline points=${own}></polyline></svg>`;
  }
}
