// Runs a job in a page of headless Chrome or Firefox.
import { HeddleError } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { callError, type HeadlessBrowser, onBrowserEnd } from '../../host/browser.ts';
import { type RemoteHost, type RemoteJobOptions, runRemotely } from './remote-job.ts';

/** Options of `runJobInPage`. */
export interface PageJobOptions extends RemoteJobOptions {
  /** Starts the browser. */
  launch(): Promise<HeadlessBrowser>;
  /** Receives the browser that was started. */
  readonly onBrowser?: (browser: HeadlessBrowser) => void;
}

/**
 * Runs the job `name` in a page and returns its result. Throws the error of the job, or a HeddleError if the
 * browser or the page ends or hangs; for Firefox it names the last compute pipeline.
 */
export const runJobInPage = (name: string, args: unknown, options: PageJobOptions): Promise<unknown> =>
  runRemotely(name, args, options, async ({ job, url, emit, fail }): Promise<RemoteHost> => {
    const browser = await options.launch();
    try {
      options.onBrowser?.(browser);
      onBrowserEnd(browser, job, fail);
      const onError = (error: Error) =>
        fail(new HeddleError(msg`The page in ${browser.name} failed while running ${job}: ${error.message}`));
      const page = await browser.openPage(url, { onError });
      await page.exposeFunction('heddleEmit', emit);
      return {
        name: `the page in ${browser.name}`,
        run: (request) =>
          page
            .evaluate((text) => heddle.run(text), request)
            .catch((error: unknown) => {
              throw callError(browser, job, error);
            }),
        abort: () => void page.evaluate(() => heddle.abort()).catch(() => {}),
        ping: () => page.evaluate('true'),
        close: () => browser.close(),
      };
    } catch (error) {
      await browser.close();
      throw error;
    }
  });
