// The types of feed-forward blocks (section 3.3 of the paper). Each is a row of a table.

/** A type of feed-forward blocks. */
export interface FeedForwardType {
  readonly help: string;
  /** Matrices of a layer that is not the last, one below another. */
  readonly parts: number;
  /** The only number of linear layers that it can have; default: any. */
  readonly depth?: number;
}

/** The types of feed-forward blocks, by the name in the field `feedForwardType`. */
export const feedForwardTypes = {
  plain: { help: 'W2·f(W1·x)', parts: 1 },
  gated: {
    help: 'W2·(f(W1·x) ⊙ V1·x), where linear1 holds W1 and then V1 (Shazeer, 2020, GLU)',
    parts: 2,
    depth: 2,
  },
} satisfies Readonly<Record<string, FeedForwardType>>;

/** The type of a configuration. */
export const feedForwardType = (c: {
  readonly feedForwardType: keyof typeof feedForwardTypes;
}): FeedForwardType => feedForwardTypes[c.feedForwardType];
