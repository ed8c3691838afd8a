// A second `npm start` beside a running one says where that is, and is not misled by what is left of an old one.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { remember, running } from "../../scripts/lib/running.mjs";

async function withFile(use) {
  const folder = await mkdtemp(join(tmpdir(), "chatwire-"));
  try {
    await use(join(folder, "running"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A server that gives this answer to everything. */
async function answering(body, use) {
  const server = createServer((_, response) => response.end(body));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${server.address().port}`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test("a backend that runs is found at its address, and after its end it is not", () =>
  withFile(async (file) => {
    assert.equal(await running(file), undefined, "nothing is written down");
    let old;
    await answering('{"status":"ok"}', async (url) => {
      await remember(file, url);
      assert.equal(await running(file), url);
      old = url;
    });
    assert.equal(await running(file), undefined, `nobody listens at ${old} any more`);
  }));

test("another program on that port, and a file that says nothing, are not taken for it", () =>
  withFile(async (file) => {
    for (const body of ["<html>", "{}", "null"]) {
      await answering(body, async (url) => {
        await remember(file, url);
        assert.equal(await running(file), undefined, body);
      });
    }
    await writeFile(file, "no address");
    assert.equal(await running(file), undefined);
  }));
