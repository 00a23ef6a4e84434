// What is taken from a repository on the hub: its name as people write it, and the files that this engine reads, by name. No other
// file is ever asked for or written, whatever a server lists.
import { check, HeddleError } from '../core/errors.ts';

/** A model on a hub. */
export interface Repository {
  /** `https://huggingface.co`, without a slash at its end. */
  readonly base: string;
  /** `OWNER/NAME`. */
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** The hub that is asked where no other is named. */
export const defaultHub = 'https://huggingface.co';

const plain = [
  ...['config.json', 'generation_config.json', 'adapter_config.json', 'adapter_model.safetensors'],
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'],
  ...['source-tokenizer.json', 'target-tokenizer.json', 'optimizer.safetensors'],
  ...['source.spm', 'target.spm', 'vocab.json', 'target_vocab.json', 'merges.txt'],
];
const whole = 'model.safetensors';
const index = 'model.safetensors.index.json';
const shard = /^model-\d{1,6}-of-\d{1,6}\.safetensors$/;

/** Names to try where a server lists nothing; the first must be there. */
export const guesses = ['config.json', whole, index, ...plain.slice(1)] as const;

/** A checked repository. Throws a HeddleError for a name that is not OWNER/NAME and for a base that is no URL. */
export function repository(name: string, revision: string, base: string): Repository {
  const part = /^(?!\.{1,2}$)[\w.-]{1,96}$/;
  const parts = name.split('/');
  check(
    parts.length === 2 && parts.every((x) => part.test(x)),
    `pull: "${name}" is not a model's name; it is OWNER/NAME, as Helsinki-NLP/opus-mt-en-es`,
  );
  check(
    /^[\w./-]{1,200}$/.test(revision) && !revision.split('/').some((x) => x === '' || x === '.' || x === '..'),
    `pull: "${revision}" is not a revision; it is a branch, a tag or a commit`,
  );
  let url: URL;
  try {
    url = new URL(base);
  } catch {
    throw new HeddleError(`pull: the hub ${base} is not a URL`);
  }
  check(/^https?:$/.test(url.protocol), `pull: the hub ${base} must be an http or https URL`);
  return { base: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, name, revision };
}

/**
 * Of the files of a repository those that are read here. Throws a HeddleError where there is no model that can be read; `revision`
 * tells how another one is asked for.
 */
export function wanted(files: readonly string[], name: string, revision: string): string[] {
  const has = new Set(files);
  const weights = has.has(whole) ? [whole] : has.has(index) ? [index, ...[...has].filter((x) => shard.test(x))] : [];
  const others = plain.filter((x) => has.has(x));
  check(
    has.has('config.json') || has.has('adapter_config.json'),
    `${name}: it has no config.json; this is not a model that can be read`,
  );
  if (weights.length === 0 && !has.has('adapter_model.safetensors')) {
    const other = [...has].find((x) => /\.(bin|h5|msgpack|npz|onnx|ckpt|pt|pth)$/.test(x));
    throw new HeddleError(
      `${name}: it has no ${whole}${other === undefined ? '' : `, only ${other}`}; weights are read from safetensors. ` +
        `Another revision may have them (${revision}), or convert them with transformers (save_pretrained)`,
    );
  }
  return [...others, ...weights];
}

/** Whether a file of an index is one of a model's shards. */
export const isShard = (name: string): boolean => shard.test(name);
