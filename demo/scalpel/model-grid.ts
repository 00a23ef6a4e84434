// The parts of a model that the scalpel can switch off, as rows: a layer with its sublayers and heads.

import type { Inspection, ModelPart } from '../../src/entries/reports.ts';

/** A sublayer of a layer; its heads if it has any. */
export interface GridSublayer {
  readonly part: ModelPart;
  readonly kind: 'self' | 'cross' | 'feedForward';
  readonly heads: readonly ModelPart[];
}

/** A layer. */
export interface GridLayer {
  readonly part: ModelPart;
  readonly stack: 'encoder' | 'decoder';
  readonly layer: number;
  readonly sublayers: readonly GridSublayer[];
}

/** The layers of an inspected model, those of the encoder first. */
export function gridOf({ attention, gates }: Pick<Inspection, 'attention' | 'gates'>): GridLayer[] {
  const headsOf = (kind: 'encoder' | 'decoder' | 'cross', layer: number) =>
    attention.find((map) => map.kind === kind && map.layer === layer)?.heads ?? 0;
  const layers = (stack: 'encoder' | 'decoder', count: number): GridLayer[] =>
    Array.from({ length: count }, (_, layer) => {
      const place: ModelPart = `${stack}.${layer}`;
      const sublayer = (kind: GridSublayer['kind'], heads: number): GridSublayer => {
        const part = `${place}.${kind}` as ModelPart;
        return {
          part,
          kind,
          heads: Array.from({ length: heads }, (_, head) => `${part}.${head}` as ModelPart),
        };
      };
      return {
        part: place,
        stack,
        layer,
        sublayers: [
          sublayer('self', headsOf(stack, layer)),
          ...(stack === 'decoder' ? [sublayer('cross', headsOf('cross', layer))] : []),
          sublayer('feedForward', 0),
        ],
      };
    });
  const count = (kind: 'encoder' | 'cross') => attention.filter((map) => map.kind === kind).length;
  return [
    ...layers('encoder', count('encoder')),
    ...layers('decoder', Math.max(count('cross'), gates.length)),
  ];
}

/** All heads of a model in order. */
export const headsOf = (grid: readonly GridLayer[]): ModelPart[] =>
  grid.flatMap(({ sublayers }) => sublayers.flatMap(({ heads }) => heads));
