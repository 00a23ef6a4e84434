// The place of the learning stage in the page: it opens there when a training begins, in place of the film. Its code is
// loaded at the first training.

import { byId } from '../../common/dom.ts';
import type { SessionEvent } from '../protocol.ts';
import type { LearningStage } from './learning-stage.ts';
import type { Lesson } from './lessons.ts';
import type { Curve } from './shared-curve.ts';
import type { Session } from './training-session.ts';

/** The place. */
export class StagePlace {
  /** The lesson that trains; undefined for another training. */
  lesson: Lesson | undefined;
  readonly #session: Session;
  /** The stage; undefined until the first training. */
  #stage: Promise<LearningStage> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Opens the stage for the training that begins. `race`: the curve that it races against. */
  open(race: Curve | undefined): void {
    const { lesson } = this;
    this.#stage ??= this.#load();
    void this.#stage.then((stage) => stage.open({ lesson, race }));
    byId('learning-stage').hidden = false;
    byId('intro').classList.add('staged');
    window.scrollTo({ top: 0 });
  }

  /** Shows the film again: the training of a lesson did not begin. */
  close(): void {
    this.lesson = undefined;
    byId('learning-stage').hidden = true;
    byId('intro').classList.remove('staged');
  }

  /** Passes an event of the session to the stage. */
  onEvent(event: SessionEvent): void {
    void this.#stage?.then((stage) => stage.onEvent(event));
  }

  async #load(): Promise<LearningStage> {
    const [{ LearningStage }, { keepPicture, pictureOfRace, pictureOfStage }] = await Promise.all([
      import('./learning-stage.ts'),
      import('./result-picture.ts'),
    ]);
    const stage = new LearningStage({
      ask: (question) => this.#session.translate(question, { method: 'greedy' }),
      picture: (shown) => keepPicture(pictureOfStage(shown), 'heddle-lesson.png'),
      racePicture: (shown) => keepPicture(pictureOfRace(shown), 'heddle-race.png'),
    });
    byId('learning-stage').append(stage.element);
    return stage;
  }
}
