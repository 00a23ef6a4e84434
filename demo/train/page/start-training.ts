// Starts a training from the forms or resumes one from a checkpoint, and shows a notice if a call fails.

import type { TrainingSettings } from '../protocol.ts';
import { ask } from './dialogs.ts';
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

/** Starts and resumes trainings. No function rejects: errors become notices. */
export interface TrainingStarter {
  start(settings: TrainingSettings): Promise<void>;
  /** Resumes from the checkpoint of a model, to its last step or to `steps` steps in total. */
  resume(name: string, steps?: number): Promise<void>;
  /** Returns NAME-2 or the first higher number that no model has. */
  freeName(name: string): Promise<string>;
  /** Awaits a call and shows its error as a notice. */
  attempt(call: Promise<void>): Promise<void>;
}

/** Creates the starter. */
export function createTrainingStarter({
  session,
  notices,
  setLanguages,
  onRename,
}: StarterOptions): TrainingStarter {
  async function start(settings: TrainingSettings, replace = false): Promise<void> {
    const { corpus } = settings;
    if (corpus.kind === 'intl') setLanguages(corpus.source, corpus.target);
    else setLanguages('', '');
    try {
      await session.start(settings, { replace });
    } catch (error) {
      if (error instanceof SessionError && error.kind === 'exists')
        await attempt(resolveNameConflict(settings));
      else showError(error);
    }
  }
  async function resolveNameConflict(settings: TrainingSettings): Promise<void> {
    const { name } = settings;
    const answer = await ask(
      `A model named “${name}” exists`,
      'Keep it and give the new model another name, or replace it?',
      [
        ['keep', 'Keep both', 'main'],
        ['replace', 'Replace', 'bad'],
      ],
    );
    if (answer === 'replace') return start(settings, true);
    if (answer !== 'keep') return;
    const renamed = { ...settings, name: await freeName(name) };
    onRename(renamed);
    return start(renamed);
  }
  /** Returns NAME-2 or the first higher number that no model has. */
  async function freeName(name: string): Promise<string> {
    const taken = new Set((await session.storage()).models.map((m) => m.name));
    const numbered = (n: number) => `${name.slice(0, 55)}-${n}`;
    let n = 2;
    while (taken.has(numbered(n))) n++;
    return numbered(n);
  }
  async function attempt(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      showError(error);
    }
  }
  function showError(error: unknown): void {
    if (error instanceof SessionError && error.kind === 'aborted') return;
    notices.show('bad', (error as Error).message, { id: 'failed' });
    notices.element.scrollIntoView({ block: 'nearest' }); // the button that was pressed is always visible, the notice is not
  }
  return {
    start,
    async resume(name, steps) {
      setLanguages('', '');
      await attempt(session.resume(name, steps === undefined ? {} : { steps }));
    },
    freeName,
    attempt,
  };
}
