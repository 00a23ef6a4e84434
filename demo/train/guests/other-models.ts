// Models of speech and of images of lines, on the page Train.

export { loadAnyModel, trainAnyModel } from '../../../src/entries/speech.ts';
