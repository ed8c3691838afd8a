// Serves the measuring page, the records that fill its store, and takes what it posts. Isolated, as a page must be that asks
// for its memory.
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { isolated, listenForPosts } from "../lib/listen.mjs";
import { files } from "../lib/static.mjs";

/** @returns `{url, next(), close()}`; `next()` resolves with what is posted next. */
export function serveFigures(records) {
  return listenForPosts(async (request, response) => {
    const { pathname } = new URL(request.url, "http://local");
    const [, size, name] = /^\/records\/(\d+)\/([a-z0-9]+\.(?:json|bin))$/.exec(pathname) ?? [];
    if (size) {
      response.writeHead(200, { ...isolated, "content-type": "application/octet-stream" });
      return createReadStream(join(records.get(Number(size)), name)).pipe(response);
    }
    const { status, contentType, body } = await files(pathname);
    return response.writeHead(status, { ...isolated, "content-type": contentType }).end(body);
  });
}
