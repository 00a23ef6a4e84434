// The microphone: samples of one channel through an AudioWorklet, at 16 kHz if the browser resamples.

import { say } from '../common/page-texts.ts';

const wanted = 16_000;

/** Messages of errors of getUserMedia, by their names. */
const reasons: Readonly<Record<string, string>> = {
  NotAllowedError: say`This page may not use the microphone: allow it in the address bar, or try a built-in clip.`,
  NotFoundError: say`There is no microphone: connect one, or try a built-in clip.`,
  NotReadableError: say`Another program uses the microphone; close it and try again.`,
};

/** A microphone that records. */
export class Microphone {
  readonly rate: number;
  readonly #context: AudioContext;
  readonly #stream: MediaStream;
  readonly #node: AudioWorkletNode;

  private constructor(context: AudioContext, stream: MediaStream, node: AudioWorkletNode) {
    this.#context = context;
    this.#stream = stream;
    this.#node = node;
    this.rate = context.sampleRate;
  }

  /** Starts to record; `onPiece` gets the samples. Rejects with a message for the visitor. */
  static async open(onPiece: (samples: Float32Array) => void): Promise<Microphone> {
    if (!navigator.mediaDevices?.getUserMedia)
      throw new Error(say`This browser has no microphone for pages: try a built-in clip.`);
    const stream = await navigator.mediaDevices
      .getUserMedia({
        audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      })
      .catch((error: Error) => {
        throw new Error(reasons[error.name] ?? say`The microphone does not open: ${error.message}`);
      });
    try {
      const { context, source } = await connect(stream);
      await context.audioWorklet.addModule(new URL('./microphone-worklet.js', import.meta.url));
      const node = new AudioWorkletNode(context, 'microphone', { numberOfOutputs: 0 });
      node.port.onmessage = ({ data }: MessageEvent<Float32Array | 'end'>) => {
        if (data !== 'end') onPiece(data);
      };
      source.connect(node);
      return new Microphone(context, stream, node);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  /** Stops; resolves when all samples were given. */
  async stop(): Promise<void> {
    const { port } = this.#node;
    await new Promise<void>((resolve) => {
      const before = port.onmessage;
      port.onmessage = (event) => {
        before?.call(port, event);
        if (event.data === 'end') resolve();
      };
      port.postMessage('end');
    });
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
  }
}

/** The source of a stream; Firefox does not resample between a stream and a context. */
async function connect(stream: MediaStream) {
  const context = new AudioContext({ sampleRate: wanted });
  try {
    return { context, source: context.createMediaStreamSource(stream) };
  } catch {
    await context.close();
    const own = new AudioContext();
    return { context: own, source: own.createMediaStreamSource(stream) };
  }
}
