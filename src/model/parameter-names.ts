// Names of parameters in Hugging Face's BART and MarianMT, and globs on names.

import { HeddleError } from '../core/errors.ts';
import type { Parameter } from './parameter-layout.ts';

/**
 * Module of a layer of nn.Transformer -> Hugging Face's modules: several if one tensor holds their weights, row after
 * row.
 */
const modules: Readonly<Record<string, readonly string[]>> = {
  'self_attn.in_proj': ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  'self_attn.out_proj': ['self_attn.out_proj'],
  'multihead_attn.q_proj': ['encoder_attn.q_proj'],
  'multihead_attn.kv_proj': ['encoder_attn.k_proj', 'encoder_attn.v_proj'],
  'multihead_attn.out_proj': ['encoder_attn.out_proj'],
  linear1: ['fc1'],
  linear2: ['fc2'],
  norm1: ['self_attn_layer_norm'],
  norm2: ['final_layer_norm'],
  norm3: ['final_layer_norm'],
};

/** Parameter outside the layers -> Hugging Face's. With tied embeddings `src_embed.weight` is `model.shared.weight`. */
const outside: Readonly<Record<string, string>> = {
  'src_embed.weight': 'model.encoder.embed_tokens.weight',
  'tgt_embed.weight': 'model.decoder.embed_tokens.weight',
  'src_pos.weight': 'model.encoder.embed_positions.weight',
  'tgt_pos.weight': 'model.decoder.embed_positions.weight',
  'src_embed_norm.weight': 'model.encoder.layernorm_embedding.weight',
  'src_embed_norm.bias': 'model.encoder.layernorm_embedding.bias',
  'tgt_embed_norm.weight': 'model.decoder.layernorm_embedding.weight',
  'tgt_embed_norm.bias': 'model.decoder.layernorm_embedding.bias',
  'transformer.encoder.norm.weight': 'model.encoder.layer_norm.weight',
  'transformer.encoder.norm.bias': 'model.encoder.layer_norm.bias',
  'transformer.decoder.norm.weight': 'model.decoder.layer_norm.weight',
  'transformer.decoder.norm.bias': 'model.decoder.layer_norm.bias',
  'generator.weight': 'lm_head.weight',
  'generator.bias': 'final_logits_bias',
};

/**
 * Returns Hugging Face's names of the modules that a parameter of a layer is split into, in the order of their rows.
 */
export function hfModuleNames(name: string): string[] {
  const [, stack, layer, part = ''] = /^transformer\.(\w+)\.layers\.(\d+)\.(.+?)[._](weight|bias)$/.exec(name) ?? [];
  const found = stack === 'decoder' && part === 'norm2' ? ['encoder_attn_layer_norm'] : (modules[part] ?? []);
  return found.map((module) => `model.${stack}.layers.${layer}.${module}`);
}

/** Returns Hugging Face's names of a parameter, in the order of their rows. `shared`: both embeddings are tied. */
export function hfNames({ name }: Pick<Parameter, 'name'>, shared: boolean): string[] {
  if (shared && name === 'src_embed.weight') return ['model.shared.weight'];
  if (Object.hasOwn(outside, name)) return [outside[name] as string];
  const kind = name.endsWith('bias') ? 'bias' : 'weight';
  return hfModuleNames(name).map((module) => `${module}.${kind}`);
}

/**
 * Returns a test of names for a glob: `*` matches any characters, `?` one. A glob matches the whole name or its end
 * after a dot: `encoder.*` matches `transformer.encoder.layers.0.linear1.weight`.
 */
export function globMatcher(glob: string): (name: string) => boolean {
  const escaped = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const whole = new RegExp(`^(?:.*\\.)?${escaped}$`, 's');
  return (name) => whole.test(name);
}

/** Returns the error for a glob that matches no name. It lists the five most similar names. */
export function noMatchError(what: string, glob: string, names: readonly string[]): HeddleError {
  const parts = glob.split('.').filter((part) => part.replaceAll('*', '') !== '');
  const distance = (name: string) =>
    parts.reduce(
      (sum, part) => sum + Math.min(...name.split('.').map((own) => edits(part.replaceAll('*', ''), own))),
      0,
    );
  const near = [...new Set(names)]
    .map((name) => ({ name, off: distance(name) }))
    .sort((a, b) => a.off - b.off)
    .slice(0, 5);
  return new HeddleError(
    `${what}: ${glob} matches no name; the most similar are ${near.map((n) => n.name).join(', ')}`,
  );
}

/** Edit distance of two words (Levenshtein, 1966). */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] as number;
}
