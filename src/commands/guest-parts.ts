// The table of what guests add to commands of the main house: a row for each guest. Each part is loaded only by the
// command that has it. Commands of guests are rows of commands.ts, golden cases of guests rows of golden-kinds.ts.

import { translateDocumentJob } from '../features/documents/commands/translate-document-job.ts';
import type { CheckpointTarget } from './checkpoint-target.ts';
import type { OtherModels } from './jobs/evaluate-job.ts';
import type { CommandJob } from './remote/command-job.ts';
import type { ServedTexts } from './serve/served-texts.ts';
import type { TranslatedFiles } from './translated-files.ts';

/** What a guest adds to commands of the main house. */
export interface GuestParts {
  /** `heddle translate`: files that it translates as wholes. */
  readonly translatedFiles?: () => Promise<TranslatedFiles>;
  /** `heddle serve`: how it translates texts. */
  readonly servedTexts?: () => Promise<ServedTexts>;
  /** `heddle eval`: models that read no text. */
  readonly otherModels?: () => Promise<OtherModels>;
  /** `heddle convert`: what it makes of a checkpoint, beside formats of models. */
  readonly checkpointTarget?: () => Promise<CheckpointTarget>;
  /** Jobs of the parts that run on any host. */
  readonly jobs?: readonly CommandJob<never, unknown>[];
}

/** Documents are translated whole, and a server keeps codes and tags. */
const documents: GuestParts = {
  translatedFiles: async () =>
    (await import('../features/documents/commands/document-command.ts')).documentFiles,
  servedTexts: async () => (await import('../features/documents/commands/served-segments.ts')).servedSegments,
  jobs: [translateDocumentJob],
};

/** Checkpoints continue in PyTorch. */
const pytorch: GuestParts = {
  checkpointTarget: async () =>
    (await import('../features/pytorch/commands/torch-run-target.ts')).torchRunTarget,
};

/** Models of speech and of images of lines are evaluated on clips and drawn lines. */
const speech: GuestParts = {
  otherModels: async () => (await import('../features/speech/commands/evaluate-other.ts')).frameModels,
};

const guests = [documents, pytorch, speech];

/** The parts of all guests. */
export const guestParts: GuestParts = {
  ...Object.assign({}, ...guests),
  jobs: guests.flatMap(({ jobs = [] }) => jobs),
};
