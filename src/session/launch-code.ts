// The part of a host that fuses sublayers of a decoding step. A page that does not give it does not load its code.

/**
 * The code that fuses the sublayers of a token into one dispatch each, if auto-tuning finds that faster on the
 * device: for decoding of up to 8 rows on a GPU, whose dispatches cost more than their work.
 *
 * @example
 * registerHost({ fewerLaunches });
 */
export const fewerLaunches = () => import('../engine/gpu/launch-tuning.ts');
