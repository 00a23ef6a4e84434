// What guests (src/features/) bring to the main house. The main house knows only this table: who opens a model or a
// run hands it to the session, and everything that needs a guest finds it there.

// biome-ignore lint/suspicious/noEmptyInterface: each seam adds its field
/** What guests bring: a field for each seam, with rows that load the code of a guest when it is needed. */
export type Features = {};

/** The main house alone: text in, text out. */
export const noFeatures: Features = {};
