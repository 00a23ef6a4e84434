// Reactions of the page to what happens around a training: a hidden or closed tab, the screen of a phone, steps that
// have become slow. A panel with the choice for hidden tabs.

import { field, options } from '../../common/form-fields.ts';
import { fixed } from '../../common/format.ts';
import { say } from '../../common/page-texts.ts';
import { type Content, html, Panel } from '../../common/panel.ts';
import { storeChoice, storedChoice } from '../../common/stored-choice.ts';
import type { SessionEvent } from '../protocol.ts';
import { HiddenTab, hiddenChoices } from './hidden-tab.ts';
import type { NoticeAction, Notices } from './notices.ts';
import { ScreenLock } from './screen-lock.ts';
import type { Session } from './training-session.ts';

/** Parts of the page that reactions use. */
export interface ReactionOptions {
  readonly session: Session;
  readonly notices: Pick<Notices, 'show'>;
  /** Shows what the run does because of a hidden tab. */
  readonly onStatus: (text: string) => void;
  /** Ends the training and goes on with it with half as many pairs in a batch. */
  readonly halveBatch: () => void;
}

/** Where the choice is stored. */
const storedAt = 'heddle hidden tab';

/** The panel. */
export class RunReactions extends Panel {
  readonly #options: ReactionOptions;
  readonly #tab: HiddenTab;
  readonly #lock: ScreenLock;
  /** Updates between evaluations. */
  #evalSteps = 0;

  constructor(given: ReactionOptions) {
    super('');
    this.#options = given;
    this.#tab = new HiddenTab({ ...given, page: document });
    const stored = hiddenChoices.find(([value]) => value === storedChoice(storedAt));
    if (stored) [this.#tab.choice] = stored;
    this.#lock = new ScreenLock({
      wakeLock: navigator.wakeLock,
      page: document,
      isPhone: matchMedia('(pointer: coarse)').matches,
    });
    this.draw();
  }

  /** Listens to the page. */
  listen(): void {
    document.addEventListener('visibilitychange', () => {
      this.#tab.visibilityChanged();
      this.#lock.visibilityChanged();
    });
    window.addEventListener('pagehide', () => this.#tab.leave());
  }

  onEvent(event: SessionEvent): void {
    this.#tab.onEvent(event);
    this.#lock.onEvent(event);
    if (event.type === 'started') this.#evalSteps = event.info.live.evalSteps;
    else if (event.type === 'change') this.#evalSteps = event.change.evalSteps ?? this.#evalSteps;
    else if (event.type === 'slower') this.#showSlower(event.times);
  }

  #showSlower(times: number): void {
    const { session, notices, halveBatch } = this.#options;
    const evalSteps = this.#evalSteps;
    const less: NoticeAction = {
      name: say`Evaluate every ${2 * evalSteps} steps`,
      act: () => void session.change({ evalSteps: 2 * evalSteps }).catch(() => undefined),
    };
    const actions: NoticeAction[] = [
      { name: say`Pause`, act: () => void session.pause().catch(() => undefined) },
      { name: say`Rest after each step`, act: () => void session.rest(1).catch(() => undefined) },
      { name: say`Go on with half the batch`, act: halveBatch },
    ];
    notices.show(
      'info',
      say`A step takes ${fixed(times, 1)} times as long as at the start: the device is hot, saves power, or has other work.`,
      { id: 'slower', actions: evalSteps > 0 ? [...actions, less] : actions },
    );
  }

  #choose(event: Event): void {
    const { value } = event.target as HTMLSelectElement;
    const chosen = hiddenChoices.find(([choice]) => choice === value);
    if (!chosen) return;
    [this.#tab.choice] = chosen;
    storeChoice(storedAt, value);
    this.draw();
  }

  protected override template(): Content {
    const select = html`
      <select id="hidden-tab" @change=${this.#choose}>${options(hiddenChoices, this.#tab.choice)}</select>`;
    return field('hidden-tab', say`If this tab is hidden`, select);
  }
}
