// Links from page to page lead somewhere, and the index of the guides has them all.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { before, test } from "node:test";
import { inRoot } from "../../scripts/lib/run.mjs";
import { readPages } from "./pages.mjs";

let pages;
before(async () => {
  pages = await readPages();
});

/** The links of a page to files and headings, without what stands in code. */
function linksIn(text) {
  const prose = text.replace(/^```.*?^```/gms, "").replace(/`[^`\n]*`/g, "code");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target)
    .filter((target) => !/^https?:/.test(target));
}

/** As GitHub names them. */
function headingsOf(text) {
  const named = text.replace(/^```.*?^```/gms, "").matchAll(/^#+ (.+)$/gm);
  return [...named].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** What is wrong with the links of these pages. */
function deadLinks(pages) {
  return Object.entries(pages).flatMap(([name, text]) =>
    linksIn(text).flatMap((link) => {
      const [path, anchor] = link.split("#");
      const target = path === "" ? name : posix.join(posix.dirname(name), path);
      if (!(target in pages) && !existsSync(inRoot(target))) return [`${name}: ${link}: no such file`];
      if (anchor === undefined) return [];
      return headingsOf(pages[target] ?? "").includes(anchor) ? [] : [`${name}: ${link}: no such heading`];
    }),
  );
}

test("links lead to files and headings that are there", () => {
  assert.ok(Object.values(pages).flatMap(linksIn).length > 10);
  assert.deepEqual(deadLinks(pages), []);
});

test("a link to nothing is named", () => {
  const planted = { "docs/a.md": "# A page: `x()`\n[b](b.md) [a](#a-page-x) [c](#c) [r](../README.md)\n" };
  assert.deepEqual(deadLinks(planted), ["docs/a.md: b.md: no such file", "docs/a.md: #c: no such heading"]);
});

test("every page of docs/guides stands in its index", () => {
  const index = linksIn(pages["docs/guides/README.md"]);
  const guides = Object.keys(pages).filter((name) => posix.dirname(name) === "docs/guides");
  const missing = guides.map((name) => posix.basename(name)).filter((name) => !index.includes(name));
  assert.deepEqual(missing, ["README.md"]);
});
