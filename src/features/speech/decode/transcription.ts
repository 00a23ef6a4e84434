// Transcribes a recording: goes from window to window, and decodes each in a turn of the model. Between two turns the
// samples of a stream are awaited, while the model is free for other calls.

import type { TextModel } from '../../../decode/translator.ts';
import { hopSamples, sampleRate } from '../audio/log-mel.ts';
import type { SpeechFacts } from './speech-facts.ts';
import { needsDetection, promptOf, type SpeechTask } from './speech-prompts.ts';
import { type SpeechSegment, textIds, windowSegments } from './speech-text.ts';
import type { RecordedSpeech } from './speech-windows.ts';
import type { SpeechAttention, TranscribeOptions, Transcription } from './transcribe-options.ts';
import type { Transcriber } from './transcriber.ts';

/** Above this temperature the text is not the prompt of the next window. */
const maxPromptTemperature = 0.5;

/** Does work in a turn of the model, with what decodes on its engine. */
export type SpeechTurn = <T>(work: (transcriber: Transcriber) => Promise<T>) => Promise<T>;

/**
 * Transcribes a recording with a model of speech. Throws a HeddleError for an invalid option, the signal's reason if
 * aborted.
 */
export async function transcribeRecording(
  { target, config }: TextModel,
  speech: SpeechFacts,
  recording: RecordedSpeech,
  options: TranscribeOptions,
  turn: SpeechTurn,
): Promise<Transcription> {
  const { signal, onSegment, onProgress, conditionOnPrevious = true, noSpeechThreshold = 0.6 } = options;
  const { minLogProb = -1 } = options;
  const stamps = speech.noTimestamps !== undefined && (options.timestamps ?? true);
  const interim =
    options.onPartial &&
    ((frames: Float32Array) => turn((transcriber) => transcriber.decodePartly(frames, options)));
  const first = await recording.window(0, interim);
  const { isLong } = recording;
  const detected =
    first && needsDetection(speech, options)
      ? await turn((transcriber) => transcriber.detect(first.frames, options))
      : undefined;
  const task: SpeechTask = {
    language: options.language,
    task: options.task,
    detected,
    timestamps: stamps || (isLong && speech.noTimestamps !== undefined),
  };
  const segments: SpeechSegment[] = [];
  const attention: SpeechAttention[] = [];
  const before: number[] = options.prompt ? [...target.encode(` ${options.prompt.trim()}`)] : [];
  let [reset, seek] = [0, 0];
  for (let window = first; window; window = await recording.window(seek, interim)) {
    signal?.throwIfAborted();
    const { frames, length } = window;
    // A rest of a frame or a few cannot be speech.
    if (seek > 0 && length < (speech.fillsWindow ? 1 : 3) * hopSamples) break;
    const room = Math.floor(config.maxLength / 2) - 1;
    const previous = before.slice(reset).slice(-room);
    const decoded = await turn((transcriber) => transcriber.decode(frames, { ...task, previous }, options));
    const time = { offset: seek / sampleRate, duration: length / sampleRate };
    const silent = decoded.noSpeechProb > noSpeechThreshold && decoded.avgLogProb < minLogProb;
    const found = windowSegments(decoded.ids, speech, { target }, time);
    if (!silent) {
      const { ids, prompt, ...quality } = decoded;
      const end = time.offset + time.duration;
      for (const one of found.segments) {
        if (one.text.trim() === '') continue;
        // The model may name times in the silence after the recording.
        const segment = {
          ...one,
          start: Math.min(one.start, end),
          end: Math.min(one.end, end),
          ...quality,
        };
        segments.push(segment);
        onSegment?.(segment);
      }
      before.push(...textIds(ids, speech));
      if (!conditionOnPrevious || decoded.temperature > maxPromptTemperature) reset = before.length;
      if (options.attention)
        attention.push(await turn((transcriber) => transcriber.attend(frames, { prompt, ids, ...time })));
    }
    const advance = silent ? time.duration : found.advance;
    // A window whose stamps do not advance would be read again and again.
    seek += advance > 0 ? Math.round(advance * sampleRate) : length;
    onProgress?.(Math.min(recording.duration, seek / sampleRate), recording.duration);
  }
  const spoken = promptOf(speech, config, task)[1];
  return {
    text: segments
      .map(({ text }) => text)
      .join('')
      .trim(),
    segments,
    language: [...speech.languages].find(([, id]) => id === spoken)?.[0],
    duration: recording.duration,
    attention: options.attention ? attention : undefined,
  };
}
