// Jobs in a page of headless Chrome. page-job.engines.test.ts has the same tests for Firefox.

import { runJobInPage } from '../../../src/commands/remote/page-job.ts';
import { launchChrome } from '../../../src/host/chrome.ts';
import { testRemoteJobs } from '../../support/remote-jobs.ts';

testRemoteJobs({
  name: 'Chrome',
  place: 'the page in Chrome',
  program: /chrom/,
  run: (job, args, options) => runJobInPage(job, args, { ...options, launch: launchChrome }),
});
