// The engine of Firefox Translations in a worker of the page, and the files of a model that it takes.

/** Files of a model by the names that Firefox gives them. */
export type FirefoxFiles = Readonly<Record<string, Uint8Array>>;

/** A translation, and the milliseconds that it took. */
export interface FirefoxTranslation {
  readonly translation: string;
  readonly milliseconds: number;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** The configuration that Firefox gives the engine. */
const optionsFor = (hasMultipliers: boolean): string =>
  [
    ...[
      'beam-size: 1',
      'normalize: 1.0',
      'word-penalty: 0',
      'max-length-break: 128',
      'max-length-factor: 2.0',
    ],
    ...['mini-batch-words: 1024', 'workspace: 128', 'skip-cost: true', 'cpu-threads: 0', 'quiet: true'],
    ...['quiet-translation: true', 'alignment: soft'],
    `gemm-precision: int8shift${hasMultipliers ? 'AlphaAll' : 'All'}`,
    '',
  ].join('\n');

/** The engine with one model. */
export class FirefoxEngine {
  readonly #worker = new Worker(new URL('firefox/engine-worker.js', document.baseURI));
  readonly #pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #calls = 0;

  private constructor() {
    this.#worker.onmessage = ({ data: { id, result, error } }: MessageEvent<Answer>) => {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new Error(`Firefox's engine: ${error}`));
    };
    this.#worker.onerror = () => {
      for (const { reject } of this.#pending.values())
        reject(new Error("Firefox's engine did not start: its files are missing on this server."));
      this.#pending.clear();
    };
  }

  /** Starts the engine with a model. Rejects with a message for the visitor. */
  static async open(files: FirefoxFiles): Promise<FirefoxEngine> {
    const names = Object.keys(files);
    const file = (pattern: RegExp) => files[names.find((name) => pattern.test(name)) ?? ''];
    const weights = file(/^model\..*\.bin$/);
    const shared = file(/^vocab\./);
    const vocabularies = [file(/^srcvocab\./) ?? shared, file(/^trgvocab\./) ?? shared];
    if (!weights || !vocabularies.every(Boolean))
      throw new Error('These are not the files of a Firefox model.');
    const shortlist = file(/^lex\./) ?? new Uint8Array(0);
    const hasMultipliers = names.some((name) => name.endsWith('.alphas.bin'));
    const engine = new FirefoxEngine();
    try {
      const options = optionsFor(hasMultipliers);
      await engine.#call('load', { options, files: { weights, shortlist, vocabularies } });
      return engine;
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  /** Translates a text. */
  translate(text: string): Promise<FirefoxTranslation> {
    return this.#call('translate', { text }) as Promise<FirefoxTranslation>;
  }
  close(): void {
    this.#worker.terminate();
  }

  #call(call: string, args: unknown): Promise<unknown> {
    const id = this.#calls++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, call, args });
    });
  }
}
