// Serves the test page and the built package as they are: no bundler stands between the package and the browser.
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { listen } from "./listen.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folders = {
  "/chatwire/dist/": here("../../../js/dist"),
  "/chatwire/pkg/": here("../../../js/pkg"),
  // As it is shipped for browsers; only `npm run beside` asks for it.
  "/socket.io-client/": join(dirname(here(import.meta.resolve("socket.io-client/package.json"))), "dist"),
};
const page = here("../page");
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/**
 * @param headers go with every answer.
 * @returns `{url, close()}`; the port stays the same as long as it runs, and with it the browser's stores.
 */
export async function servePage({ headers = {} } = {}) {
  const { origin, close } = await listen(async ({ url }, response) => {
    const { status, contentType, body } = await files(new URL(url, "http://local").pathname);
    response.writeHead(status, { "content-type": contentType, ...headers });
    response.end(body);
  });
  return { url: `${origin}/`, close };
}

/** What stands at a path: `{status, contentType, body}`. */
export async function files(path) {
  try {
    const body = await readFile(fileOf(path));
    return { status: 200, contentType: types[extname(path)] ?? "text/html", body };
  } catch {
    return { status: 404, contentType: "text/plain", body: "" };
  }
}

function fileOf(path) {
  for (const [prefix, folder] of Object.entries(folders)) {
    if (path.startsWith(prefix)) return join(folder, normalize(`/${path.slice(prefix.length)}`));
  }
  return join(page, normalize(path === "/" ? "/index.html" : path));
}
