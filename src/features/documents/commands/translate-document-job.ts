// The row of the job that translates a document; its code is loaded when it runs.

import type { CommandJob } from '../../../commands/remote/command-job.ts';
import type { DocumentSummary } from '../document-report.ts';
import type { DocumentArguments } from './document-job.ts';

/** Translates a document. */
export const translateDocumentJob: CommandJob<DocumentArguments, DocumentSummary> = {
  name: 'translateDocument',
  load: async () => (await import('./document-job.ts')).translateFile,
};
