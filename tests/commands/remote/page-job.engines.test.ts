// Jobs in a page of headless Firefox.

import { runJobInPage } from '../../../src/commands/remote/page-job.ts';
import { launchFirefox } from '../../../src/host/firefox.ts';
import { testRemoteJobs } from '../../support/remote-jobs.ts';

testRemoteJobs({
  name: 'Firefox',
  place: 'the page in Firefox',
  program: /firefox/,
  run: (job, args, options) => runJobInPage(job, args, { ...options, launch: launchFirefox }),
});
