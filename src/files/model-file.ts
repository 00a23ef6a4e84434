// Names of the files of a model folder.

/** Names of the files of a model folder. */
export const modelFileNames = {
  config: 'config.json',
  weights: 'model.safetensors',
  tokenizer: 'tokenizer.json',
  source: 'source-tokenizer.json',
  target: 'target-tokenizer.json',
} as const;

/** Names of the files of a checkpoint in a model folder: optimizer and position. */
export const checkpointNames = { optimizer: 'optimizer.safetensors', state: 'state.json' } as const;

/** Name of the manifest in a folder that heddle wrote. */
export const manifestName = 'heddle-manifest.json';

/** Names of the files in a model folder that let a resumed training start at once; they can be deleted. */
export const cacheNames = ['tokens.cache', 'sources.cache'] as const;
/** A name of such a file. */
export type CacheName = (typeof cacheNames)[number];

/** Whether a name is that of a hidden folder with files of an unfinished replacement. */
export const isStaging = (name: string): boolean => /^\.heddle-[\da-f]{12}$/.test(name);
