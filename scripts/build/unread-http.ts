/** Keeps `import … from 'node:http'` from loading what nobody here uses. */
import type { Plugin } from 'esbuild';

const HTTP = /^(?:node:)?http$/;

/**
 * Takes Node.js's HTTP module by `require` where a module imports it. An import reads every export at once, and those for
 * WebSocket load a whole second HTTP client with HTTP/2 and web streams: 13 MiB of resident memory (measured, Node.js 24).
 */
export function unreadHttp(): Plugin {
  return {
    name: 'unread-http',
    setup(build) {
      build.onResolve({ filter: HTTP }, ({ kind }) =>
        kind === 'require-call' ? undefined : { path: 'node:http', namespace: 'unread' },
      );
      build.onLoad({ filter: HTTP, namespace: 'unread' }, () => ({
        contents: `module.exports = require('node:http');`,
      }));
    },
  };
}
