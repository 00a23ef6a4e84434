// Segments of windows, prompts, and how much a text repeats itself.

import { describe, expect, it } from 'vitest';
import type { SpeechFacts } from '../../../../src/features/speech/decode/speech-facts.ts';
import {
  needsDetection,
  promptOf,
  type SpeechTask,
  speechTokenRules,
} from '../../../../src/features/speech/decode/speech-prompts.ts';
import { compressionRatio, windowSegments } from '../../../../src/features/speech/decode/speech-text.ts';
import { modelConfig } from '../../../../src/model/model-config.ts';
import { createIdTokenizer } from '../../../../src/text/tokenizers/character-tokenizer.ts';
import { errorAbout } from '../../../support/expect-error.ts';

const [endId, startId, stamp] = [50, 51, 60];
const target = createIdTokenizer(100, { pad: endId, start: startId, end: endId, unknown: 3 });
const speech: SpeechFacts = {
  kind: 'speech',
  windowSamples: 32000,
  fillsWindow: true,
  textEnd: endId,
  multilingual: true,
  languages: new Map([
    ['en', 52],
    ['de', 53],
  ]),
  tasks: { transcribe: 55, translate: 54 },
  noTimestamps: 59,
  previous: 57,
  noSpeech: 58,
  suppress: [1],
  suppressFirst: [2, endId],
  maxInitialTimestamp: 10,
  forced: [],
  timestamps: false,
  maxTokens: 30,
};
const c = modelConfig({ srcVocab: 100, tgtVocab: 100, padId: endId, startId, endId });

describe('the segments of a window', () => {
  const of = (...ids: number[]) => windowSegments(ids, speech, { target }, { offset: 10, duration: 2 });

  it('end at pairs of stamps, and the next window starts at the last pair', () => {
    const { segments, advance } = of(stamp, 7, 8, stamp + 20, stamp + 20, 9, stamp + 50, stamp + 50, 5);
    expect(segments).toEqual([
      { start: 10, end: 10.4, text: '7 8', ids: [stamp, 7, 8, stamp + 20] },
      { start: 10.4, end: 11, text: '9', ids: [stamp + 20, 9, stamp + 50] },
    ]);
    expect(advance).toBeCloseTo(1);
  });

  it('go on after the whole window if it ends in one stamp', () => {
    const { segments, advance } = of(stamp, 7, stamp + 20, stamp + 20, 9, stamp + 60);
    expect(segments.map(({ start, end }) => [start, end])).toEqual([
      [10, 10.4],
      [10.4, 11.2],
    ]);
    expect(advance).toBe(2);
  });

  it('are one if there is no pair', () => {
    expect(of(stamp, 7, stamp + 30)).toMatchObject({ segments: [{ start: 10, end: 10.6 }], advance: 2 });
    expect(of(7, 8)).toMatchObject({ segments: [{ start: 10, end: 12, text: '7 8' }], advance: 2 });
    expect(of()).toMatchObject({ segments: [{ text: '' }], advance: 2 });
  });
});

describe('a prompt', () => {
  const prompt = (task: Partial<SpeechTask>, facts: Partial<SpeechFacts> = {}) =>
    promptOf({ ...speech, ...facts }, c, { timestamps: false, ...task });

  it('names language and task, and whether there are stamps', () => {
    expect(prompt({ language: 'German' })).toEqual([startId, 53, 55, 59]);
    expect(prompt({ language: '<|en|>', task: 'translate', timestamps: true })).toEqual([startId, 52, 54]);
    expect(prompt({ detected: 52, previous: [7, 8] })).toEqual([57, 7, 8, startId, 52, 55, 59]);
    expect(prompt({ detected: 52 }, { forced: [53, 54] })).toEqual([startId, 53, 54, 59]);
  });

  it('follows what generation_config.json states, and then not the forced tokens', () => {
    const forced = [53, 54];
    expect(prompt({ detected: 53 }, { forced, language: 'en' })).toEqual([startId, 52, 55, 59]);
    expect(prompt({ detected: 52 }, { forced, task: 'translate' })).toEqual([startId, 52, 54, 59]);
    expect(prompt({ language: 'de' }, { language: 'en', task: 'translate' })).toEqual([startId, 53, 54, 59]);
    expect(prompt({ language: 'en' }, { forced })).toEqual([startId, 52, 55, 59]);
    expect(prompt({ task: 'transcribe', detected: 52 }, { forced })).toEqual([startId, 52, 55, 59]);
    expect(prompt({ detected: 52, otherTask: null })).toEqual([startId, 52, 59]);
  });

  it('needs the detected language if neither the files nor the call state it', () => {
    const needs = (task: Partial<SpeechTask>, facts: Partial<SpeechFacts> = {}) =>
      needsDetection({ ...speech, ...facts }, task);
    expect(needs({})).toBe(true);
    expect(needs({ language: 'en' })).toBe(false);
    expect(needs({}, { language: 'en' })).toBe(false);
    expect(needs({}, { forced: [53] })).toBe(false);
    expect(needs({ task: 'translate' }, { forced: [53] })).toBe(true);
    expect(needs({}, { multilingual: false })).toBe(false);
  });

  it('has neither in a model for English', () => {
    const english = { multilingual: false, languages: new Map() };
    expect(prompt({}, english)).toEqual([startId, 59]);
    expect(() => prompt({ language: 'en' }, english)).toThrow(
      errorAbout({ area: 'transcribe', values: ['language'] }),
    );
    expect(() => prompt({ language: 'xx' })).toThrow(
      errorAbout({ area: 'transcribe', values: ['xx', 'en', 'de'] }),
    );
  });

  it('comes with rules of stamps only if there are stamps', () => {
    expect(speechTokenRules(speech, c, 4, false)).toMatchObject({ banned: [1], stamps: undefined });
    expect(speechTokenRules(speech, c, 3, true)).toMatchObject({
      banned: [1, 59],
      stamps: { first: stamp, end: endId, maxInitial: 10 },
    });
  });
});

it('tells texts that repeat themselves', async () => {
  expect(await compressionRatio('')).toBe(1);
  expect(await compressionRatio('the quick brown fox')).toBeLessThan(1);
  expect(await compressionRatio('again and '.repeat(40))).toBeGreaterThan(10);
});
