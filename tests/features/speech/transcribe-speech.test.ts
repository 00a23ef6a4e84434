// SpeechModel.transcribe on the CPU: the ids of the golden cases, long recordings, events and errors.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openFolderAs } from '../../../src/api/load-model.ts';
import { cpuEngine } from '../../../src/engine/cpu-engine.ts';
import { writeWav } from '../../../src/features/speech/audio/wav.ts';
import { speechModel } from '../../../src/features/speech/speech-model.ts';
import { samplesOf } from '../../../src/features/speech/transcribe-speech.ts';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { errorAbout, errorOfKind } from '../../support/expect-error.ts';
import { EngineSession } from '../../support/session.ts';

const root = '../shared/golden-whisper';
const open = (name: string) =>
  openFolderAs(speechModel, `${root}/${name}`, new EngineSession(nodeFiles(), async () => cpuEngine()));

describe.skipIf(!existsSync(root))('SpeechModel.transcribe (../shared/golden-whisper)', () => {
  it('decodes the ids of the reference, without stamps', async () => {
    const model = await open('english-short-clip');
    const folder = `${root}/english-short-clip`;
    const { greedy } = readSafetensors(readFileSync(`${folder}/expected.safetensors`), 'expected');
    const { segments, language } = await model.transcribe(readFileSync(`${folder}/audio.wav`), {
      timestamps: false,
      temperature: 0,
      noSpeechThreshold: 1,
    });
    const want = [...(greedy?.data.subarray(2, greedy.shape[1]) ?? [])];
    const end = want.indexOf(model.config.endId);
    expect(segments.flatMap(({ ids }) => [...ids])).toEqual(end < 0 ? want : want.slice(0, end));
    expect(language).toBeUndefined();
    model.dispose();
  });

  it('reads a long recording in windows, and reports each segment', async () => {
    const model = await open('timestamps');
    const samples = Float32Array.from(
      { length: 40000 },
      (_, i) => Math.sin(i / 9) * Math.sin(i / 2000) * 0.4,
    );
    const seen: number[] = [];
    const done: number[] = [];
    const result = await model.transcribe(writeWav(samples, 16000), {
      temperature: 0,
      noSpeechThreshold: 1,
      onSegment: ({ start }) => seen.push(start),
      onProgress: (seconds) => done.push(seconds),
    });
    expect(result.duration).toBe(2.5);
    expect(seen).toEqual(result.segments.map(({ start }) => start));
    expect(done.at(-1)).toBe(2.5);
    expect(result.language).toMatch(/^(en|zh|de|es)$/);
    for (const { start, end } of result.segments) expect(start).toBeLessThanOrEqual(end);
    model.dispose();
  });

  it('reads a stream as the whole recording, with its text so far and its attention', async () => {
    const model = await open('timestamps');
    const samples = Float32Array.from(
      { length: 40000 },
      (_, i) => Math.sin(i / 9) * Math.sin(i / 2000) * 0.4,
    );
    const options = { temperature: 0, noSpeechThreshold: 1, attention: true };
    const whole = await model.transcribe(samples, options);
    let sent = 0;
    const texts: number[] = [];
    async function* pieces() {
      for (; sent < samples.length; sent += 1000) yield samples.subarray(sent, sent + 1000);
    }
    const streamed = await model.transcribe(
      { rate: 16000, pieces: pieces() },
      { ...options, onPartial: () => texts.push(sent) },
    );
    expect(streamed).toEqual(whole);
    expect(texts[0]).toBeLessThan(20_000);
    const [first] = whole.attention ?? [];
    const { tokens, logProbs, layers, heads, positions, weights } = first as NonNullable<typeof first>;
    expect(weights).toHaveLength(layers * heads * tokens.length * positions);
    expect(tokens.at(-1)).toBe('<|endoftext|>');
    // The mean is that of decoding, which renormalizes over the allowed tokens: at least as probable.
    expect(logProbs).toHaveLength(tokens.length);
    expect(Math.max(...logProbs)).toBeLessThanOrEqual(0);
    const mean = logProbs.reduce((a, b) => a + b) / tokens.length;
    expect(mean).toBeLessThanOrEqual((whole.segments[0]?.avgLogProb ?? 0) + 1e-4);
    for (let row = 0; row < layers * heads * tokens.length; row++) {
      const sum = weights
        .subarray(row * positions, (row + 1) * positions)
        .reduce((total, weight) => total + weight, 0);
      expect(sum).toBeCloseTo(1, 4);
    }
    const none = { rate: 44100, pieces: (async function* () {})() };
    await expect(model.transcribe(none, {}, 'mic')).rejects.toThrow(errorAbout({ area: 'mic' }));
    const silent = {
      rate: 44100,
      pieces: (async function* () {
        yield new Float32Array(44100);
      })(),
    };
    await expect(model.transcribe(silent, {}, 'mic')).rejects.toThrow(errorAbout({ area: 'mic' }));
    const large = Object.defineProperty(new File(['RIFF'], 'talk.wav'), 'size', { value: 3 * 2 ** 30 });
    await expect(model.transcribe(large, {}, 'talk.wav')).rejects.toThrow(
      errorAbout({ kind: 'input', area: 'talk.wav', values: ['3.0 GiB', '2.0 GiB'] }),
    );
    model.dispose();
  });

  it('leaves the model free while a stream is awaited, and stops waiting at a signal', async () => {
    const model = await open('timestamps');
    const audio = readFileSync(`${root}/timestamps/audio.wav`);
    const stop = new AbortController();
    const waits = {
      rate: 16000,
      pieces: (async function* () {
        yield new Float32Array(8000).fill(0.1);
        await new Promise(() => {});
      })(),
    };
    const endless = model.transcribe(waits, { signal: stop.signal });
    expect((await model.transcribe(audio, { temperature: 0 })).segments).toBeDefined();
    stop.abort();
    await expect(endless).rejects.toThrow(errorOfKind('aborted'));
    const onSegment = async () => {
      throw new Error('mine');
    };
    await expect(
      model.transcribe(audio, { temperature: 0, noSpeechThreshold: 1, onSegment }),
    ).rejects.toThrow(new Error('mine'));
    model.dispose();
  });

  it('names wrong options and recordings, and stops at a signal', async () => {
    const model = await open('timestamps');
    const audio = readFileSync(`${root}/timestamps/audio.wav`);
    await expect(model.transcribe(audio, { task: 'sing' as 'translate' })).rejects.toThrow(
      errorAbout({ area: 'transcribe', options: ['task'], values: ['transcribe'] }),
    );
    await expect(model.transcribe(audio, { language: 'Klingon' })).rejects.toThrow(
      errorAbout({ area: 'transcribe', values: ['Klingon'] }),
    );
    await expect(model.transcribe(new Uint8Array(50), {}, 'x.mp3')).rejects.toThrow(
      errorAbout({ area: 'x.mp3' }),
    );
    await expect(model.transcribe(new Float32Array(20000))).rejects.toThrow(
      errorAbout({ area: 'transcribe' }),
    );
    await expect(model.transcribe(audio, { signal: AbortSignal.abort() })).rejects.toThrow(
      errorOfKind('aborted'),
    );
    model.dispose();
  });
});

it('lets other work run, and an abort arrive, while it reads a long recording', async () => {
  const channel = Float32Array.from({ length: 44100 * 300 }, (_, i) => Math.sin(i / 20) / 2);
  const stop = new AbortController();
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
    if (turns === 3) stop.abort();
  });
  await expect(samplesOf({ rate: 44100, channels: [channel] }, 'talk', stop.signal)).rejects.toMatchObject({
    name: 'AbortError',
  });
  clearInterval(timer);
});
