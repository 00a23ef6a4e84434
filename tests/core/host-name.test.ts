// The name of the browser from its user agent.
import { expect, it } from 'vitest';
import { hostOf } from '../../src/core/host-name.ts';

it('finds the host and its version in the user agent', () => {
  const agents = {
    'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0': 'Firefox 153.0',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/145.0.0.0 Safari/537.36':
      'Chrome 145.0.0.0',
    'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36 Edg/145.0.0.0':
      'Chrome 145.0.0.0',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15':
      'Safari 26.1',
    'Deno/2.9.6': 'Deno 2.9.6',
    'Node.js/22': 'Dawn ',
    '': 'Dawn ',
  };
  for (const [agent, host] of Object.entries(agents)) {
    const { name, version } = hostOf(agent);
    expect(`${name} ${version}`).toBe(host);
  }
});
