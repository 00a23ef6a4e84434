// Transcriptions as text, SRT, WebVTT and JSON.

import { expect, it } from 'vitest';
import { formatTranscription } from '../../../../src/features/speech/commands/subtitle-formats.ts';

const quality = { ids: [], temperature: 0, avgLogProb: -0.1, compressionRatio: 1, noSpeechProb: 0 };
const one = {
  text: 'Hello there.',
  segments: [
    { start: 0, end: 1.5, text: ' Hello', ...quality },
    { start: 3661.0404, end: 3662, text: ' --> there.', ...quality },
  ],
  language: 'en',
  duration: 4000,
};

it('writes each format', () => {
  expect(formatTranscription(one, 'txt')).toBe('Hello there.\n');
  expect(formatTranscription(one, 'srt')).toBe(
    '1\n00:00:00,000 --> 00:00:01,500\nHello\n\n2\n01:01:01,040 --> 01:01:02,000\n-> there.\n',
  );
  expect(formatTranscription(one, 'vtt')).toMatch(
    /^WEBVTT\n\n00:00:00\.000 --> 00:00:01\.500\nHello\n\n01:01:01/,
  );
  expect(JSON.parse(formatTranscription(one, 'json'))).toEqual(one);
});
