// Parts of devices that not every page needs, in one file that is loaded on demand: errors, the pace of
// submissions, and a device in place of a lost one.

export { aboveLimit, bufferTooLarge, otherState, outOfMemory } from './memory-errors.ts';
export { openWithRetries } from './reopen-device.ts';
export { limitsAfterLoss, SubmissionPace } from './submission-pace.ts';
export { lowLimit, noAdapter, noGpu, noWebGpu, refused, unreadable } from './webgpu-errors.ts';
