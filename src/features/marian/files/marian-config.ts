// The configuration of a model from model.yml inside Marian's model files, and of decoding from decoder.yml.

import { HeddleError, withArea } from '../../../core/errors.ts';
import { listed, type Message, msg } from '../../../core/message.ts';
import type { ModelRules } from '../../../decode/decode-options.ts';
import { type ModelConfig, type ModelOptions, modelConfig } from '../../../model/model-config.ts';
import type { MarianItem } from './marian-items.ts';
import type { Yaml, YamlScalar } from './marian-yaml.ts';

/** Maximum number of tokens: Marian's positions have no end; a longer text is split. */
const maxLength = 1024;

/** Ids of Marian's vocabularies: the end token is 0, the unknown one 1; there is no padding and no start. */
export const marianIds = { pad: -1, start: -1, end: 0, unknown: 1 } as const;

/** Options that heddle supports with one value only: that value, which is also that of an absent option. */
const required: Yaml = {
  type: 'transformer',
  'layer-normalization': false,
  'transformer-no-projection': false,
  'transformer-rnn-projection': false,
  'transformer-no-bias': false,
  'transformer-no-affine': false,
  'transformer-pool': false,
  'lemma-dim-emb': 0,
  ulr: false,
  'right-left': false,
  'input-types': [],
};

/** Options that configMarian reads, or that mean nothing for a transformer of this kind. */
const known: readonly string[] = [
  'dim-emb',
  'dim-vocabs',
  'enc-depth',
  'dec-depth',
  'dec-cell',
  'output-omit-bias',
  'version',
  'tied-embeddings',
  'tied-embeddings-all',
  'tied-embeddings-src',
  'transformer-heads',
  'transformer-dim-ffn',
  'transformer-ffn-depth',
  'transformer-ffn-activation',
  'transformer-decoder-dim-ffn',
  'transformer-decoder-ffn-depth',
  'transformer-decoder-autoreg',
  'transformer-preprocess',
  'transformer-postprocess',
  'transformer-postprocess-emb',
  'transformer-postprocess-top',
  'transformer-tied-layers',
  'transformer-train-position-embeddings',
  'transformer-guided-alignment-layer',
  'transformer-depth-scaling',
  'skip',
  'special-vocab',
  'dim-rnn',
  'enc-type',
  'enc-cell',
  'enc-cell-depth',
  'dec-cell-base-depth',
  'dec-cell-high-depth',
];

/** Groups of options that mean nothing for a transformer without factors, average attention or characters. */
const ignored: readonly string[] = [
  'bert-',
  'char-',
  'factors-',
  'lemma-dependency',
  'transformer-aan-',
  'transformer-dim-aan',
  'ulr-',
];

const activations: Readonly<Record<string, ModelConfig['activation']>> = {
  relu: 'relu',
  swish: 'silu',
  gelu: 'quick-gelu',
};

/** A model configuration, and how the file names and stores the output projection. */
export interface MarianConfig {
  readonly config: ModelConfig;
  /** Whether the output matrix is stored as [d, V], as in old files. */
  readonly oldOutput: boolean;
}

/** Reads options with their types; each throws a HeddleError that names the option. */
class Options {
  readonly yaml: Yaml;
  readonly path: string;

  constructor(yaml: Yaml, path: string) {
    this.yaml = yaml;
    this.path = path;
  }

  fail(name: string, wanted: Message): never {
    throw new HeddleError(msg`${name} is ${JSON.stringify(this.yaml[name])}; ${wanted}`, { area: this.path });
  }

  /** A whole number; `fallback` if the option is absent. */
  count(name: string, fallback?: number): number {
    const value = this.yaml[name] ?? fallback;
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.fail(name, msg`it must be a whole number`);
  }

  flag(name: string): boolean {
    const value = this.yaml[name] ?? false;
    return typeof value === 'boolean' ? value : this.fail(name, msg`it must be true or false`);
  }

  /** Letters of `allowed`; absent: none. */
  letters(name: string, allowed: string): string {
    const value = String(this.yaml[name] ?? '');
    return [...value].every((letter) => allowed.includes(letter))
      ? value
      : this.fail(name, msg`the letters ${[...allowed].join(', ')} are supported`);
  }

  choice<T>(name: string, values: Readonly<Record<string, T>>, fallback: string): T {
    const value = String(this.yaml[name] ?? fallback);
    return Object.hasOwn(values, value)
      ? (values[value] as T)
      : this.fail(name, msg`supported are ${Object.keys(values).join(', ')}`);
  }
}

const isSame = (a: YamlScalar | readonly YamlScalar[], b: unknown): boolean =>
  Array.isArray(a) && Array.isArray(b) ? a.join() === b.join() : a === b || (Array.isArray(b) && a === '');

/**
 * The configuration of a model with these tensors. Throws a HeddleError that starts with `path` and names an
 * option that is not supported.
 */
export function readMarianConfig(
  yaml: Yaml,
  tensors: ReadonlyMap<string, MarianItem>,
  path: string,
): MarianConfig {
  const o = new Options(yaml, path);
  for (const [name, value] of Object.entries(yaml)) {
    if (Object.hasOwn(required, name)) {
      if (!isSame(value, required[name]))
        o.fail(name, msg`only ${JSON.stringify(required[name])} is supported`);
    } else if (!known.includes(name) && !ignored.some((group) => name.startsWith(group)))
      o.fail(name, msg`heddle does not know this option of Marian`);
  }
  const isSsru = o.choice(
    'transformer-decoder-autoreg',
    { 'self-attention': false, rnn: true },
    'self-attention',
  );
  if (isSsru) o.choice('dec-cell', { ssru: true }, 'gru');
  const shapeOf = (...names: string[]) => {
    const found = names.map((name) => tensors.get(name)).find((item) => item !== undefined);
    if (!found) throw new HeddleError(msg`the model file has no ${listed(names, ' or ')}`, { area: path });
    return found.shape;
  };
  const [srcVocab = 0, width = 0] = shapeOf('encoder_Wemb', 'Wemb');
  const [tgtVocab = 0] = shapeOf('decoder_Wemb', 'Wemb');
  const dModel = o.count('dim-emb');
  if (width !== dModel) o.fail('dim-emb', msg`the embeddings have ${width} columns`);
  const all = o.flag('tied-embeddings-all');
  const [source, output] = [o.flag('tied-embeddings-src'), o.flag('tied-embeddings')];
  const tie = all || (source && output) ? 'all' : source ? 'embeddings' : output ? 'target' : 'none';
  const before = o.letters('transformer-preprocess', 'dn');
  const after = o.letters('transformer-postprocess', 'dan');
  const steps = `${before}:${after}`;
  const [feedForward, depth] = [o.count('transformer-dim-ffn'), o.count('transformer-ffn-depth', 2)];
  const tied = yaml['transformer-tied-layers'] ?? [];
  const options: ModelOptions = {
    srcVocab,
    tgtVocab,
    dModel,
    tie,
    maxLength,
    heads: o.count('transformer-heads'),
    encoderLayers: o.count('enc-depth'),
    decoderLayers: o.count('dec-depth'),
    feedForward,
    decoderFeedForward: o.count('transformer-decoder-dim-ffn', 0) || feedForward,
    feedForwardDepth: depth,
    decoderFeedForwardDepth: o.count('transformer-decoder-ffn-depth', 0) || depth,
    decoderSelfAttention: isSsru ? 'ssru' : 'attention',
    decoderTiedLayers: Array.isArray(tied) ? (tied as number[]) : [],
    norm: steps === 'n:da' ? 'pre' : 'post',
    sublayerSteps: steps === 'n:da' || steps === ':dan' ? '' : steps,
    normQueriesOnly: before.includes('n') && normalizesQueriesOnly(String(yaml.version ?? '')),
    activation: o.choice('transformer-ffn-activation', activations, 'swish'),
    positions: 'marian-sinusoidal',
    finalNorm: o.letters('transformer-postprocess-top', 'dn').includes('n'),
    embeddingNorm: o.letters('transformer-postprocess-emb', 'dn').includes('n'),
    layerNormEps: 1e-6,
    outputBias: !o.flag('output-omit-bias'),
    alignmentHead: guidesLastLayer(yaml) ? 0 : -1,
    padId: marianIds.pad,
    startId: marianIds.start,
    endId: marianIds.end,
  };
  return {
    config: withArea(path, () => modelConfig(options)),
    oldOutput: tensors.has('decoder_ff_logit_out_W'),
  };
}

/** Whether the last layer has the alignments; Marian reads them from its first head. */
const guidesLastLayer = (yaml: Yaml): boolean => {
  const layer = String(yaml['transformer-guided-alignment-layer'] ?? 'last');
  return layer === 'last' || layer === String(yaml['dec-depth']);
};

/** Whether a version of Marian normalizes only the queries of pre-norm self-attention: those before 1.10.28. */
function normalizesQueriesOnly(version: string): boolean {
  const parts = /(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [0, 0, 0];
  const since = [1, 10, 28];
  const at = parts.findIndex((n, i) => n !== since[i]);
  return at >= 0 && (parts[at] as number) < (since[at] as number);
}

/** Defaults of Marian's options, and the options of Firefox, which has no decoder.yml. */
const marianDefaults = { 'beam-size': 12, normalize: 0, 'max-length-factor': 3 };
const firefoxDefaults = { 'beam-size': 1, normalize: 1, 'max-length-factor': 2 };

/**
 * The decoding rules of a model with this decoder.yml; without one those of Firefox. Throws a HeddleError that
 * starts with `path`.
 */
export function readMarianRules(
  given: Yaml | undefined,
  path: string,
): ModelRules & { readonly beams: number } {
  const defaults = given ? marianDefaults : firefoxDefaults;
  const yaml: Yaml = { 'word-penalty': 0, ...defaults, ...given };
  const number = (name: string, min = 0): number => {
    const value = yaml[name];
    if (typeof value === 'number' && value >= min) return value;
    throw new HeddleError(msg`${name} is ${JSON.stringify(value)}; it must be a number of at least ${min}`, {
      area: path,
    });
  };
  return {
    beams: number('beam-size', 1),
    lengthPenalty: { power: number('normalize') },
    wordPenalty: number('word-penalty', Number.NEGATIVE_INFINITY),
    maxLengthFactor: number('max-length-factor'),
    earlyStopping: 'shrink',
    suppressTokens: yaml['allow-unk'] === true ? [] : [marianIds.unknown],
  };
}
