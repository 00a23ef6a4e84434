// Pairs of words that belong together, as text: Pharaoh's format, which fast_align and eflomal write too.

/** Pairs of a source word and a target word, by their places among the words between spaces, from 0. */
export type WordLinks = readonly (readonly [source: number, target: number])[];

/** Links as a line `0-0 1-2`, without a line break. */
export const formatLinks = (links: WordLinks): string => links.map((link) => link.join('-')).join(' ');
