// Starts a training from the forms or resumes one from a checkpoint, and shows a notice if a call fails.

import { say } from '../../common/page-texts.ts';
import type { TrainingSettings } from '../protocol.ts';
import type { Notices } from './notices.ts';
import { type Session, SessionError } from './training-session.ts';

/** Functions of the page that the starter calls. */
export interface StarterOptions {
  readonly session: Session;
  readonly notices: Notices;
  /** Sets the languages of the corpus that is about to be trained on, as BCP 47 tags; empty if unknown. */
  setLanguages(source: string, target: string): void;
  /** Called if the model gets another name because its name is taken. */
  onRename(settings: TrainingSettings): void;
}

/** Starts and resumes trainings. No method rejects: errors become notices. */
export class TrainingStarter {
  readonly #options: StarterOptions;

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  async start(settings: TrainingSettings, replace = false): Promise<void> {
    const { session, setLanguages } = this.#options;
    const { corpus } = settings;
    if (corpus.kind === 'intl') setLanguages(corpus.source, corpus.target);
    else setLanguages('', '');
    try {
      await session.start(settings, { replace });
    } catch (error) {
      if (error instanceof SessionError && error.kind === 'exists')
        await this.attempt(this.#resolveNameConflict(settings));
      else this.#showError(error);
    }
  }

  /** Resumes from the checkpoint of a model, to its last step or to `steps` steps in total. */
  async resume(name: string, steps?: number): Promise<void> {
    const { session, setLanguages } = this.#options;
    setLanguages('', '');
    await this.attempt(session.resume(name, steps === undefined ? {} : { steps }));
  }

  /** Returns NAME-2 or the first higher number that no model has. */
  async freeName(name: string): Promise<string> {
    const taken = new Set((await this.#options.session.storage()).models.map((model) => model.name));
    const numbered = (n: number) => `${name.slice(0, 55)}-${n}`;
    let n = 2;
    while (taken.has(numbered(n))) n++;
    return numbered(n);
  }

  /** Awaits a call and shows its error as a notice. */
  async attempt(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      this.#showError(error);
    }
  }

  async #resolveNameConflict(settings: TrainingSettings): Promise<void> {
    const { name } = settings;
    const { ask } = await import('./dialogs.ts');
    const answer = await ask(
      say`A model named “${name}” exists`,
      say`Keep it and give the new model another name, or replace it?`,
      [
        ['keep', say`Keep both`, 'main'],
        ['replace', say`Replace`, 'bad'],
      ],
    );
    if (answer === 'replace') return this.start(settings, true);
    if (answer !== 'keep') return;
    const renamed = { ...settings, name: await this.freeName(name) };
    this.#options.onRename(renamed);
    return this.start(renamed);
  }

  #showError(error: unknown): void {
    if (error instanceof SessionError && error.kind === 'aborted') return;
    const { notices } = this.#options;
    notices.show('bad', (error as Error).message, { id: 'failed' });
    // The button that was pressed is always visible, the notice is not.
    notices.element.scrollIntoView({ block: 'nearest' });
  }
}
