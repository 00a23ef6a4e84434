// Names of parameters in Hugging Face's models, and globs on names.

import { editDistance } from '../core/edit-distance.ts';
import { HeddleError } from '../core/errors.ts';
import { listed, msg } from '../core/message.ts';
import { type ModelConfig, type Stack, sharesEmbeddings } from './model-config.ts';
import type { Parameter } from './parameter-layout.ts';

/** Names of a family of models in Hugging Face's transformers. */
interface Naming {
  /** Prefix of the modules of a layer. */
  layer(stack: Stack, layer: number): string;
  /**
   * Module of a layer of nn.Transformer -> Hugging Face's modules: several if one tensor holds their weights,
   * row after row. A key with the prefix `decoder.` is for the decoder only.
   */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** Parameter outside the layers -> Hugging Face's. */
  readonly outside: Readonly<Record<string, string>>;
  /** The embedding that source and target share. */
  readonly shared: string;
}

/** BART and the families like it. */
const bart: Naming = {
  layer: (stack, layer) => `model.${stack}.layers.${layer}.`,
  shared: 'model.shared.weight',
  modules: {
    'self_attn.in_proj': ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
    'self_attn.out_proj': ['self_attn.out_proj'],
    'self_attn.q_proj': ['self_attn.q_proj'],
    'self_attn.kv_proj': ['self_attn.k_proj', 'self_attn.v_proj'],
    'ssru.in_proj': ['ssru.cell', 'ssru.gate'],
    'multihead_attn.q_proj': ['encoder_attn.q_proj'],
    'multihead_attn.kv_proj': ['encoder_attn.k_proj', 'encoder_attn.v_proj'],
    'multihead_attn.out_proj': ['encoder_attn.out_proj'],
    linear1: ['fc1'],
    linear2: ['fc2'],
    norm1: ['self_attn_layer_norm'],
    norm2: ['final_layer_norm'],
    'decoder.norm2': ['encoder_attn_layer_norm'],
    norm3: ['final_layer_norm'],
  },
  outside: {
    'src_embed.weight': 'model.encoder.embed_tokens.weight',
    'tgt_embed.weight': 'model.decoder.embed_tokens.weight',
    'stem.conv1.weight': 'model.encoder.conv1.weight',
    'stem.conv1.bias': 'model.encoder.conv1.bias',
    'stem.conv2.weight': 'model.encoder.conv2.weight',
    'stem.conv2.bias': 'model.encoder.conv2.bias',
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
  },
};

const feedForwardOf = (sublayer: number, gated: boolean): Naming['modules'] => ({
  linear1: (gated ? ['wi_0', 'wi_1'] : ['wi']).map((part) => `layer.${sublayer}.DenseReluDense.${part}`),
  linear2: [`layer.${sublayer}.DenseReluDense.wo`],
});

/** T5 and mT5. */
const t5 = (gated: boolean): Naming => ({
  layer: (stack, layer) => `${stack}.block.${layer}.`,
  shared: 'shared.weight',
  modules: {
    'self_attn.in_proj': ['q', 'k', 'v'].map((part) => `layer.0.SelfAttention.${part}`),
    'self_attn.out_proj': ['layer.0.SelfAttention.o'],
    'multihead_attn.q_proj': ['layer.1.EncDecAttention.q'],
    'multihead_attn.kv_proj': ['k', 'v'].map((part) => `layer.1.EncDecAttention.${part}`),
    'multihead_attn.out_proj': ['layer.1.EncDecAttention.o'],
    ...feedForwardOf(1, gated),
    ...Object.fromEntries(
      Object.entries(feedForwardOf(2, gated)).map(([name, parts]) => [`decoder.${name}`, parts]),
    ),
    norm1: ['layer.0.layer_norm'],
    norm2: ['layer.1.layer_norm'],
    norm3: ['layer.2.layer_norm'],
  },
  outside: {
    'src_embed.weight': 'encoder.embed_tokens.weight',
    'tgt_embed.weight': 'decoder.embed_tokens.weight',
    'transformer.encoder.norm.weight': 'encoder.final_layer_norm.weight',
    'transformer.decoder.norm.weight': 'decoder.final_layer_norm.weight',
    'transformer.encoder.relative_bias.weight':
      'encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight',
    'transformer.decoder.relative_bias.weight':
      'decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight',
    'generator.weight': 'lm_head.weight',
  },
});

/** The names for a configuration: those of T5 if it has RMSNorm, else those of BART. */
const namingOf = (c: ModelConfig): Naming =>
  c.normType === 'rms' ? t5(c.feedForwardType === 'gated') : bart;

/**
 * Returns Hugging Face's names of the modules that a parameter of a layer is split into, in the order of
 * their rows; none for a parameter outside the layers.
 */
export function hfModuleNames(c: ModelConfig, { module: own }: Pick<Parameter, 'module'>): string[] {
  if (!own) return [];
  const { modules, layer: prefix } = namingOf(c);
  const { stack, layer, module } = own;
  const further = module.startsWith('linear') ? [`fc${module.slice('linear'.length)}`] : []; // deep blocks
  const hfModules = modules[`${stack}.${module}`] ?? modules[module] ?? further;
  return hfModules.map((name) => `${prefix(stack, layer)}${name}`);
}

/** Returns Hugging Face's names of a parameter, in the order of their rows. */
export function hfNames(c: ModelConfig, parameter: Pick<Parameter, 'name' | 'module'>): string[] {
  const { name } = parameter;
  const { shared, outside } = namingOf(c);
  if (sharesEmbeddings(c) && name === 'src_embed.weight') return [shared];
  if (Object.hasOwn(outside, name)) return [outside[name] as string];
  const kind = name.endsWith('bias') ? 'bias' : 'weight';
  return hfModuleNames(c, parameter).map((module) => `${module}.${kind}`);
}

/**
 * Returns whether a name matches one of `globs`: `*` matches any characters, `?` one. A glob matches the
 * whole name or its end after a dot: `encoder.*` matches `transformer.encoder.layers.0.linear1.weight`.
 * Throws a HeddleError that starts with `option` if a glob matches none of `names`; it lists the five most
 * similar of `suggestions`.
 */
export function globMatcher(
  option: string,
  globs: readonly string[],
  names: readonly string[],
  suggestions: readonly string[] = names,
): (name: string) => boolean {
  const patterns = globs.map((glob) => {
    const escaped = glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.');
    const pattern = new RegExp(`^(?:.*\\.)?${escaped}$`, 's');
    if (!names.some((name) => pattern.test(name))) throw noMatchError(option, glob, suggestions);
    return pattern;
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}

function noMatchError(option: string, glob: string, names: readonly string[]): HeddleError {
  const parts = glob.split('.').filter((part) => part.replaceAll('*', '') !== '');
  const distance = (name: string) =>
    parts.reduce(
      (sum, part) =>
        sum + Math.min(...name.split('.').map((own) => editDistance(part.replaceAll('*', ''), own))),
      0,
    );
  const near = [...new Set(names)]
    .map((name) => ({ name, off: distance(name) }))
    .sort((a, b) => a.off - b.off)
    .slice(0, 5);
  return new HeddleError(
    msg`${glob} matches no name; the most similar are ${listed(near.map((n) => n.name))}`,
    { area: option },
  );
}
