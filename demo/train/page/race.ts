// The race: a link to a recorded training of 400 steps on addition with the settings of its recipe, with its loss curve.

/** Curve of `heddle train --corpus addition --steps 400 --seed 1`, 40 means of ten steps; see shared-curve.ts. */
const curve =
  'CpAtCqkHCvMECo8DCoMCCosCCq8CCicKNQoOCloKkwEKTQpZCiwKUQoSCrQDCv0DCgYKLQonCh4KIAo5CksKVQqJAQozClMKiwEK2AIKqwMKhwEKiwIKZQqPAQplCl8KGQ';

/** The link's part after the address of the page. */
export const raceHash = `#corpus=task&task=addition&pairs=40000&corpusSeed=1&steps=400&curve=${curve}`;
