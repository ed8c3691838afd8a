// Serves the page with the components, bundled as an application is, under a policy that allows nothing inline.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { listen } from "../lib/listen.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Components</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/styles.css"><link rel="stylesheet" href="/page.css"></head>
<body><div id="root"></div><script type="module" src="/page.js"></script></body></html>`;

/** @param backend the origin that the page may speak to. */
export function serveComponents(backend) {
  return serveBundled(here("page.jsx"), backend);
}

/** The same for the page of another entry; `plugins` are those of esbuild. */
export async function serveBundled(entry, backend, plugins = []) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    plugins,
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    conditions: ["module"],
    external: ["*.wasm"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  const files = {
    "/": ["text/html", html],
    "/page.js": ["text/javascript", outputFiles[0].contents],
    "/page.css": ["text/css", await readFile(here("page.css"))],
    "/styles.css": [
      "text/css",
      await readFile(fileURLToPath(import.meta.resolve("chatwire/components/styles.css"))),
    ],
    "/chatwire_bg.wasm": [
      "application/wasm",
      await readFile(fileURLToPath(import.meta.resolve("chatwire/chatwire_bg.wasm"))),
    ],
  };
  const policy = [
    "default-src 'none'; style-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    `connect-src 'self' ${backend} ${backend.replace("http", "ws")}`,
  ].join("; ");
  return listen(({ url }, response) => {
    const [type, body] = files[new URL(url, "http://local").pathname] ?? [];
    if (!type) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": type, "content-security-policy": policy }).end(body);
  });
}
