// How well a model guesses each next token where it is told the target so far: mean loss, perplexity and accuracy, from sums.

/** Sums over target tokens, ends included and padding not. */
export interface TokenSums {
  /** Of the cross-entropies, in nats, without label smoothing. */
  readonly loss: number;
  readonly tokens: number;
  /** Tokens that were the most probable ones. */
  readonly hits: number;
}

/** What comes of the sums; all NaN where there is no token. */
export interface TokenMetrics {
  /** Mean cross-entropy of a target token, in nats. */
  readonly loss: number;
  /** exp(loss): among how many equally likely tokens the model would be as unsure. */
  readonly perplexity: number;
  /** Share of target tokens, from 0 to 1, that the model would have guessed. */
  readonly tokenAccuracy: number;
}

/** Sums of several batches. */
export const addSums = (parts: Iterable<TokenSums>): TokenSums => {
  const sums = { loss: 0, tokens: 0, hits: 0 };
  for (const part of parts) {
    sums.loss += part.loss;
    sums.tokens += part.tokens;
    sums.hits += part.hits;
  }
  return sums;
};

/** Loss, perplexity and accuracy of sums. */
export function tokenMetrics({ loss, tokens, hits }: TokenSums): TokenMetrics {
  const mean = loss / tokens;
  return { loss: mean, perplexity: Math.exp(mean), tokenAccuracy: hits / tokens };
}
