// heddle transcribe: writes down what is said in recordings.

import { findModel, openFolderAs } from '../../../api/load-model.ts';
import type { ModelArguments } from '../../../commands/jobs/model-arguments.ts';
import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { Job } from '../../../session/job.ts';
import { readRecording } from '../audio/read-recording.ts';
import type { SpeechSegment } from '../decode/speech-text.ts';
import type { TranscribeOptions, Transcription } from '../decode/transcribe-options.ts';
import { speechModel } from '../speech-model.ts';

export type { Transcription } from '../decode/transcribe-options.ts';

/** Arguments of the job; plain JSON. */
export interface TranscribeArguments extends ModelArguments {
  /** Paths of the recordings. */
  readonly recordings: readonly string[];
  /** Options of `SpeechModel.transcribe`. */
  readonly options?: Omit<TranscribeOptions, 'onSegment' | 'onPartial' | 'onProgress' | 'signal'>;
}

/** A transcription of a file, or why there is none; plain JSON. */
export interface TranscribedFile {
  readonly file: string;
  readonly transcription?: Transcription;
  readonly error?: string;
}

/** A segment that the job emits when it is decoded. */
export interface TranscribedSegment {
  readonly file: string;
  readonly segment: SpeechSegment;
}

/**
 * Transcribes files one after the other. A file that cannot be read is reported in its result; the others are
 * transcribed. Throws the signal's reason if it is aborted.
 */
export const transcribe: Job<TranscribeArguments, TranscribedFile[]> = async (args, session) => {
  const { recordings, options = {} } = args;
  const { emit, signal, files } = session;
  const { folder, weights, weightsExclude } = args;
  const found = (await files.exists(folder))
    ? args
    : await findModel(folder, session, { weights, weightsExclude, signal });
  const model = await openFolderAs(speechModel, found.folder, session, { ...args, ...found, name: folder });
  const results: TranscribedFile[] = [];
  try {
    for (const file of recordings) {
      try {
        const transcription = await model.transcribe(
          await readRecording(files, file),
          {
            ...options,
            signal,
            onSegment: (segment) =>
              emit({ type: 'result', value: { file, segment } satisfies TranscribedSegment }),
            onProgress: (done, total) =>
              emit({ type: 'progress', task: 'transcribe', done, total, text: msg`seconds of ${file}` }),
          },
          file,
        );
        results.push({ file, transcription });
      } catch (error) {
        if (signal.aborted) throw error;
        // A wrong option is the same for all files.
        if (error instanceof HeddleError && error.area === 'transcribe') throw error;
        if (!(error instanceof Error)) throw error;
        results.push({ file, error: error.message });
      }
    }
    return results;
  } finally {
    model.dispose();
  }
};
