// Limits of the corpora that are generated: the built-in corpus (intl/) and the built-in tasks (tasks/).

/** Maximum number of pairs; all are in memory, about 300 bytes each. */
export const maxGeneratedPairs = 2_000_000;

/** Number of draws without a new source after which a corpus counts as exhausted. */
export const maxFailedDraws = 20_000;

/** Number of draws between two reports of progress. */
export const drawsPerStep = 256;
