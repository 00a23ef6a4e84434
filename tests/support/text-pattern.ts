// Recognizes a text whose key has values: `Reading {0}`.

/** The pattern of the texts with a key; its groups are the values in their order. */
export function textPattern(key: string): RegExp {
  const parts = key.split(/\{\d+\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('(.*?)')}$`, 's');
}
