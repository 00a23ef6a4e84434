// The engine of Firefox Translations in a worker of the page, and the files of a model that it takes.

import { WorkerClient } from '../../common/worker-client.ts';

/** Files of a model by the names that Firefox gives them. */
export type FirefoxFiles = Readonly<Record<string, Uint8Array>>;

/** A translation, and the milliseconds that it took. */
export interface FirefoxTranslation {
  readonly translation: string;
  readonly milliseconds: number;
}

/** Calls of firefox-worker.js. */
interface Calls {
  /** `options`: the configuration of Marian as YAML. */
  load(model: {
    readonly options: string;
    readonly files: {
      readonly weights: Uint8Array;
      readonly shortlist: Uint8Array;
      readonly vocabularies: readonly (Uint8Array | undefined)[];
    };
  }): void;
  translate(batch: { readonly texts: readonly string[] }): {
    readonly translations: readonly string[];
    readonly milliseconds: number;
  };
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
  readonly #client = new WorkerClient<Calls, never>(
    () => new Worker(new URL('firefox/engine-worker.js', document.baseURI)),
    () => undefined,
  );

  private constructor() {}

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
      await engine.#client.call('load', { options, files: { weights, shortlist, vocabularies } });
      return engine;
    } catch (error) {
      engine.close();
      throw new Error(`Firefox's engine: ${(error as Error).message}`);
    }
  }

  /** Translates a text. */
  async translate(text: string): Promise<FirefoxTranslation> {
    const { translations, milliseconds } = await this.#client.call('translate', { texts: [text] });
    return { translation: translations[0] ?? '', milliseconds };
  }

  close(): void {
    this.#client.close();
  }
}
