// What a page without React fetches until its first message is acknowledged: a production build by Vite, served as brotli,
// counted over the browser's protocol.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { build } from "vite";
import { listen } from "./listen.mjs";
import { Stage } from "./stage.mjs";

const root = fileURLToPath(new URL("../page/bytes", import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** In KB: `{html, js, wasm, rest, frames, sum}`. */
export async function bytesUntilAcknowledged() {
  const stage = await Stage.open();
  try {
    const page = await served();
    try {
      return inKilobytes(await fetched(stage, page.origin));
    } finally {
      await page.close();
    }
  } finally {
    await stage.close();
  }
}

async function fetched(stage, origin) {
  const [ana, other] = [await stage.server.login("ana"), await stage.idOf("ben")];
  const page = await (await stage.profile()).newPage();
  const bytes = await counted(page);
  const query = new URLSearchParams({ url: stage.server.url, userId: ana.user.id, token: ana.token, other });
  await page.goto(`${origin}/?${query}`);
  await page.waitForFunction(() => document.title === "acknowledged");
  return bytes;
}

/** The built page at an address of its own, compressed. */
async function served() {
  const outDir = await mkdtemp(join(tmpdir(), "chatwire-bytes-"));
  const remove = () => rm(outDir, { recursive: true, force: true });
  try {
    await build({ root, configFile: false, logLevel: "error", build: { outDir, emptyOutDir: true } });
  } catch (error) {
    await remove();
    throw error;
  }
  const { origin, close } = await listen(async ({ url }, response) => {
    const path = normalize(new URL(url, "http://local").pathname);
    const file = join(outDir, path === "/" ? "index.html" : path);
    const body = brotliCompressSync(await readFile(file));
    response.writeHead(200, { "content-type": types[extname(file)], "content-encoding": "br" });
    response.end(body);
  });
  return {
    origin,
    async close() {
      await close();
      await remove();
    },
  };
}

/** Counts by kind, in bytes: what came in answer to requests, with its headers, and the frames of the socket both ways. */
async function counted(page) {
  const session = await page.context().newCDPSession(page);
  const bytes = { html: 0, js: 0, wasm: 0, rest: 0, frames: 0 };
  const kinds = new Map();
  session.on("Network.responseReceived", ({ requestId, response: { mimeType } }) => {
    const kind = { "text/html": "html", "text/javascript": "js", "application/wasm": "wasm" }[mimeType];
    kinds.set(requestId, kind ?? "rest");
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes[kinds.get(requestId) ?? "rest"] += encodedDataLength;
  });
  for (const event of ["Network.webSocketFrameSent", "Network.webSocketFrameReceived"]) {
    session.on(event, ({ response }) => {
      bytes.frames += Buffer.byteLength(response.payloadData);
    });
  }
  await session.send("Network.enable");
  return bytes;
}

function inKilobytes(bytes) {
  const kilobytes = (count) => Number((count / 1024).toFixed(1));
  const sum = Object.values(bytes).reduce((a, b) => a + b, 0);
  return {
    ...Object.fromEntries(Object.entries(bytes).map(([k, v]) => [k, kilobytes(v)])),
    sum: kilobytes(sum),
  };
}
