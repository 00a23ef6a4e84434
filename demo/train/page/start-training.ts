// How a training begins: from the forms, or from the checkpoint of a model; and what is said where one of the page's calls fails.

import { byId } from '../../common/dom.ts';
import type { TrainingSettings } from '../protocol.ts';
import { ask } from './dialogs.ts';
import { askToKeep } from './models-panel.ts';
import type { Notices } from './notices.ts';
import { type Session, SessionError } from './training-session.ts';

/** What it needs of the page. */
export interface StartingHost {
  readonly session: Session;
  readonly notices: Notices;
  /** A training is about to begin whose corpus is in these languages; empty where that is not known. */
  languages(source: string, target: string): void;
  /** The model gets another name, since there is one of that name. */
  renamed(settings: TrainingSettings): void;
}

/** Ways to begin. None of them rejects: what goes wrong is a message of the page. */
export interface Starting {
  start(settings: TrainingSettings): Promise<void>;
  /** Goes on from a model's checkpoint, to its end or to as many steps in all. */
  resume(name: string, steps?: number): Promise<void>;
  /** Waits for a call and says where it fails. */
  attempt(call: Promise<void>): Promise<void>;
}

/** Ways to begin a training on the page. */
export function createStarting({ session, notices, languages, renamed }: StartingHost): Starting {
  async function start(settings: TrainingSettings, replace = false): Promise<void> {
    const { corpus } = settings;
    if (corpus.kind === 'intl') languages(corpus.source, corpus.target);
    else languages('', '');
    bringIntoView();
    try {
      await session.start(settings, { replace });
      void askToKeep();
    } catch (error) {
      if (error instanceof SessionError && error.kind === 'exists') await attempt(nameIsTaken(settings));
      else tell(error);
    }
  }
  async function nameIsTaken(settings: TrainingSettings): Promise<void> {
    const { name } = settings;
    const answer = await ask(
      `There is a model called “${name}”`,
      'Keep it and give the new one another name, or replace it?',
      [
        ['keep', 'Keep both', 'main'],
        ['replace', 'Replace it', 'bad'],
      ],
    );
    if (answer === 'replace') return start(settings, true);
    if (answer !== 'keep') return;
    const other = { ...settings, name: await freeName(name) };
    renamed(other);
    return start(other);
  }
  /** NAME-2, or the next that no model has. */
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
      tell(error);
    }
  }
  function tell(error: unknown): void {
    if (error instanceof SessionError && error.kind === 'aborted') return;
    notices.say('bad', (error as Error).message, { id: 'failed' });
  }
  return {
    start,
    async resume(name, steps) {
      languages('', '');
      bringIntoView();
      await attempt(session.resume(name, steps === undefined ? {} : { steps }));
    },
    attempt,
  };
}

/** On a narrow screen the training is below the forms. */
function bringIntoView(): void {
  const place = byId('run');
  if (place.getBoundingClientRect().top > window.innerHeight / 2) place.scrollIntoView({ block: 'start' });
}
