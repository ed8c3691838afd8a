// Every block of code on a page that readers copy from compiles against the built package.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { blocksIn } from "./blocks.mjs";
import { wrongIn } from "./compile.mjs";
import { readPages } from "./pages.mjs";

let pages;
before(async () => {
  pages = await readPages();
});

test("every block of code in README and docs compiles against the package", async () => {
  const languages = Object.values(pages).flatMap((page) => blocksIn(page).map(({ language }) => language));
  assert.ok(
    languages.some((language) => language === "ts") && languages.some((language) => language === "jsx"),
  );
  assert.deepEqual(await wrongIn(pages), []);
});

test("what does not compile is named with its page and line", async () => {
  const page = [
    "# A page",
    "```js",
    "import { createChat } from 'chatwire'",
    "createChat({ url, profile: 'team', userId, token, loglevel: 'warn' })",
    "```",
    "Text.",
    "```tsx",
    "import { useChats } from 'chatwire/react'",
    "```",
    "```html",
    '<script type="module">',
    "  import 'chatwire/component'",
    "</script>",
    "```",
    "```json",
    "{ 'a': 1 }",
    "```",
    "```typescript",
    "```",
    "",
  ].join("\n");
  const wrong = (await wrongIn({ "docs/planted.md": page })).sort();
  const places = wrong.filter((line) => line.startsWith("docs/")).map((line) => line.split(": ")[0]);
  assert.deepEqual(places, [16, 19, 8, 12, 4].map((line) => `docs/planted.md:${line}`).sort());
  assert.match(wrong.join("\n"), /loglevel/);
  assert.match(wrong.join("\n"), /useChats/);
});

test("a block imports one that names its file, and pages share nothing", async () => {
  const told = "```ts\n// told.ts: for all\nexport const told = 1\n```\n";
  const asked = "```ts\nimport { told } from './told'\nexport const twice: number = told * 2\n```\n";
  assert.deepEqual(await wrongIn({ "docs/one.md": told + asked }), []);
  const [wrong, ...more] = await wrongIn({ "docs/one.md": told, "docs/other.md": asked });
  assert.match(wrong, /^docs\/other\.md:2: TS2307: Cannot find module '\.\/told'/);
  assert.deepEqual(more, []);
});
