// Serves the built pages, and takes what they post; starts the backend beside it.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { kill, start } from "../../scripts/lib/run.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const isolated = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** The pages as an application ships them, in `dist`. */
export async function buildPages() {
  const root = here("page");
  await build({
    root,
    configFile: false,
    logLevel: "error",
    build: { outDir: here("dist"), emptyOutDir: true, target: "esnext" },
  });
}

/** @returns `{url, next(), close()}`; `next()` resolves with what is posted next. */
export async function servePages() {
  let take;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://local");
    if (request.method === "POST") {
      take(JSON.parse(await text(request)));
      return response.writeHead(204).end();
    }
    const body = await readFile(join(here("dist"), normalize(pathname))).catch(() => undefined);
    const contentType = types[extname(pathname)] ?? "text/plain";
    response.writeHead(body ? 200 : 404, {
      ...isolated,
      "content-type": contentType,
      "cache-control": "no-store",
    });
    response.end(body);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
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

export async function startBackend() {
  const child = start(process.execPath, [here("server.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  return {
    url,
    async close() {
      const exited = once(child, "exit");
      kill(child, "SIGTERM");
      await exited;
    },
  };
}
