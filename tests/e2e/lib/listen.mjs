// Servers of pages, each on a port of its own, on this machine alone.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** What a page needs that asks for its memory. */
export const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** @returns `{origin, close()}`; the port stays the same as long as it runs, and with it the browser's stores. */
export async function listen(answer) {
  const server = createServer(answer);
  await new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * The same for pages that post what they have measured, as JSON with an `error` where something went wrong.
 *
 * @returns `{url, next(), several(), close()}`; `next()` resolves with what is posted next, `several(count)` with so many of them.
 */
export async function listenForPosts(answer) {
  let take;
  const { origin, close } = await listen(async (request, response) => {
    if (request.method !== "POST") return answer(request, response);
    take(JSON.parse(await text(request)));
    return response.writeHead(204).end();
  });
  const several = (count) =>
    new Promise((resolve, reject) => {
      const all = [];
      take = (told) => {
        if (told.error) return reject(new Error(told.error));
        all.push(told);
        if (all.length === count) resolve(all);
      };
    });
  const next = async () => (await several(1))[0];
  return { url: origin, next, several, close };
}
