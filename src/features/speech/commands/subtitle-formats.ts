// Transcriptions as text, subtitles (SRT, WebVTT) and JSON.

import type { Transcription } from './transcribe-job.ts';

/** The formats of `--to`. */
export const speechFormats = ['txt', 'srt', 'vtt', 'json'] as const;
/** Name of a format. */
export type SpeechFormat = (typeof speechFormats)[number];

/** A time as `01:02:03,456`; `mark` is before the milliseconds. */
function timeOf(seconds: number, mark: ',' | '.'): string {
  const ms = Math.round(Math.max(0, seconds) * 1000);
  const part = (n: number, width = 2) => String(Math.floor(n)).padStart(width, '0');
  const clock = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((n) => part(n)).join(':');
  return `${clock}${mark}${part(ms % 1000, 3)}`;
}

/** Text of a cue: an arrow would end its line of times. */
const cueText = (text: string): string => text.trim().replaceAll('-->', '->');

const cues = (segments: Transcription['segments'], mark: ',' | '.'): string[] =>
  segments.map(
    ({ start, end, text }) => `${timeOf(start, mark)} --> ${timeOf(end, mark)}\n${cueText(text)}\n`,
  );

/** A transcription in a format, with a newline at its end. */
export function formatTranscription(one: Transcription, format: SpeechFormat): string {
  switch (format) {
    case 'txt':
      return `${one.text}\n`;
    case 'srt':
      return cues(one.segments, ',')
        .map((cue, i) => `${i + 1}\n${cue}`)
        .join('\n');
    case 'vtt':
      return ['WEBVTT\n', ...cues(one.segments, '.')].join('\n');
    case 'json':
      return `${JSON.stringify(one, null, 2)}\n`;
  }
}
