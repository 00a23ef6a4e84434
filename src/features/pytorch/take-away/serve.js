// Serves this folder, since a page loads no modules from a disk.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.json': 'application/json' };
const port = Number(process.env.PORT ?? 8080);

const server = createServer(async ({ url }, response) => {
  const path = new URL(url, 'http://page').pathname;
  const name = path === '/' ? '/index.html' : decodeURIComponent(path); // a URL has no ..
  try {
    const bytes = await readFile(new URL(`.${name}`, import.meta.url));
    response.setHeader('Content-Type', types[extname(name)] ?? 'application/octet-stream').end(bytes);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
