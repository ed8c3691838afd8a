// Serves the measuring page, the records that fill its store, and takes what it posts. Isolated, as a page must be that asks
// for its memory.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { files } from "../lib/static.mjs";

const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** @returns `{url, next(), close()}`; `next()` resolves with what is posted next. */
export async function serveFigures(records) {
  let take;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://local");
    if (request.method === "POST") {
      take(JSON.parse(await text(request)));
      return response.writeHead(204).end();
    }
    const [, size, name] = /^\/records\/(\d+)\/([a-z0-9]+\.(?:json|bin))$/.exec(pathname) ?? [];
    if (size) {
      response.writeHead(200, { ...isolated, "content-type": "application/octet-stream" });
      return createReadStream(join(records.get(Number(size)), name)).pipe(response);
    }
    const { status, contentType, body } = await files(pathname);
    return response.writeHead(status, { ...isolated, "content-type": contentType }).end(body);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    next: () =>
      new Promise((resolve, reject) => {
        take = (told) => (told.error ? reject(new Error(told.error)) : resolve(told));
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
