// Compares the names of fields with those that the twin of a model in another runtime reads.

/** Names of `known` that are neither in a twin nor listed in `unneeded`, and those listed without need. */
export function differences(
  known: readonly string[],
  inTwin: (name: string) => boolean,
  unneeded: Readonly<Record<string, string>>,
): string[] {
  const forgotten = known.filter((name) => !inTwin(name) && !(name in unneeded));
  const listed = Object.keys(unneeded).filter((name) => !known.includes(name) || inTwin(name));
  return [...forgotten, ...listed];
}

/** Why exports need no field of Marian: they refuse models that have them. */
const refused = 'a model of Marian, which the export refuses';
/** Fields of Marian, with the reason why a twin does not have them. */
export const marianFields = {
  feedForwardDepth: refused,
  decoderFeedForwardDepth: refused,
  decoderSelfAttention: refused,
  decoderTiedLayers: refused,
  sublayerSteps: refused,
  normQueriesOnly: refused,
};

/** Why a twin does not read a size. */
export const inShapes = 'the shapes of the weights have it';
