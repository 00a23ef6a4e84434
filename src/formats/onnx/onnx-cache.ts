// The KV cache of the decoder: the inputs past_key_values and the outputs present, keys and values of each layer.

import { type Stack, stackSizes } from '../../model/model-config.ts';
import { axisSize, type Builder } from './onnx-builder.ts';
import type { Name } from './onnx-graph.ts';

/** Keys and values of the target (`decoder`) and of the source (`encoder`), [B, H, length, W] in each layer. */
export interface OnnxCache {
  /** Number of tokens of a side that have keys and values: [1]. */
  lengthOf(side: Stack): Name;
  /** The cached keys of the target in the first layer. */
  readonly firstKeys: Name;
  /**
   * Appends keys and values to those of a layer and makes the results outputs. Returns both. `change` returns the keys of
   * the layer, and those to store instead.
   */
  append(
    layer: number,
    side: Stack,
    fresh: readonly Name[],
    change?: (keys: Name) => ChangedKeys,
  ): [keys: Name, values: Name];
}

/** Keys to attend to, and keys to store. */
export interface ChangedKeys {
  readonly used: Name;
  readonly stored: Name;
}

/** Adds the inputs of the cache of all decoder layers. */
export function openCache(b: Builder): OnnxCache {
  const { graph: g, config: c } = b;
  const { heads, headWidth } = stackSizes(c, 'decoder');
  const shapeOf = (length: string) => ['batch_size', heads, length, headWidth];
  const nameOf = (kind: string, layer: number, side: Stack, part: string) => `${kind}.${layer}.${side}.${part}`;
  const past = Array.from({ length: c.decoderLayers }, (_, layer) => {
    const inputs = (side: Stack) =>
      ['key', 'value'].map((part) =>
        g.input(nameOf('past_key_values', layer, side, part), 'float', shapeOf(`past_${side}_sequence_length`)),
      );
    return { decoder: inputs('decoder'), encoder: inputs('encoder') };
  });
  return {
    lengthOf: (side) => axisSize(b, past[0]?.[side][0] ?? '', 2),
    firstKeys: past[0]?.decoder[0] ?? '',
    append(layer, side, fresh, change = (keys) => ({ used: keys, stored: keys })) {
      const both = fresh.map((part, i) => g.op('Concat', [past[layer]?.[side][i] ?? '', part], { axis: 2 }));
      const length = side === 'decoder' ? 'decoder_sequence_length + past' : 'encoder_sequence_length';
      const [keys = '', values = ''] = both;
      const { used, stored } = change(keys);
      g.output(nameOf('present', layer, side, 'key'), 'float', shapeOf(length), stored);
      g.output(nameOf('present', layer, side, 'value'), 'float', shapeOf(length), values);
      return [used, values];
    },
  };
}
