// What reads trainings that are stored in the browser. stored-checkpoint.ts loads it when there is one.

export { readCheckpoint } from '../../src/entries/heddle.ts';
export { readTrainingLog } from '../../src/entries/reports.ts';
