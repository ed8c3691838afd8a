// Serves the built pages, and takes what they post; starts the backend beside it.
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { kill, start } from "../../scripts/lib/run.mjs";
import { isolated, listenForPosts } from "../e2e/lib/listen.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

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
export function servePages() {
  return listenForPosts(async ({ url }, response) => {
    const { pathname } = new URL(url, "http://local");
    const body = await readFile(join(here("dist"), normalize(pathname))).catch(() => undefined);
    const contentType = types[extname(pathname)] ?? "text/plain";
    response.writeHead(body ? 200 : 404, {
      ...isolated,
      "content-type": contentType,
      "cache-control": "no-store",
    });
    response.end(body);
  });
}

export async function startBackend() {
  const child = start(process.execPath, [here("server.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
  const [url] = await once(createInterface({ input: child.stdout }), "line");
  return {
    url,
    async control(what, order) {
      const response = await fetch(`${url}/control/${what}`, { method: "POST", body: JSON.stringify(order) });
      if (!response.ok) throw new Error(`${what}: ${await response.text()}`);
      return response.json();
    },
    async close() {
      const exited = once(child, "exit");
      kill(child, "SIGTERM");
      await exited;
    },
  };
}
