// The table of what guests add to the worker of the page Train: a row for each guest, whose code is loaded when it is
// needed. page-guests.ts has what they add to the page.

import type { LoadOptions, Model, Pair, TrainOptions, TrainSettings } from '../../../src/entries/heddle.ts';
import type { LineModel, SpeechModel } from '../../../src/entries/speech.ts';
import type { ModelStore } from '../../storage/model-store.ts';

/** Models that read no text. */
export type OtherModel = SpeechModel | LineModel;

/** A model of any kind. */
export type AnyModel = Model | OtherModel;

/** Trains and loads models of any kind. */
export interface OtherModels {
  trainAnyModel(given: object, options: TrainOptions<AnyModel>): Promise<AnyModel>;
  loadAnyModel(where: string | File, options: LoadOptions): Promise<AnyModel>;
}

/** Archives of programs. */
export interface TakeAway {
  /** Of a model, with some pairs and the settings of its training. */
  takeAwayModel(model: Model, name: string, pairs: readonly Pair[], settings: TrainSettings): Promise<Blob>;
  /** Of a stored model, with those of its training. */
  takeAwayStored(store: ModelStore, name: string): Promise<Blob>;
}

/** What a guest adds. */
interface TrainGuest {
  /** Models that read no text. */
  readonly otherModels?: () => Promise<OtherModels>;
  /** Programs with which a visitor takes a model away. */
  readonly takeAway?: () => Promise<TakeAway>;
}

const speech: TrainGuest = {
  otherModels: () => import('./other-models.ts'),
};

const pytorch: TrainGuest = {
  takeAway: () => import('./take-away.ts'),
};

const guests = [speech, pytorch];

/** What all guests add. */
export const trainGuests: TrainGuest = Object.assign({}, ...guests);
