// The pages of docs/guides as they stand: the code of each is run in a browser, with the built package, against our backend.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { reader } from "./lib/reader.mjs";
import { Stage } from "./lib/stage.mjs";

let stage;
before(async () => {
  stage = await Stage.open();
});
afterEach(async () => {
  await stage.server.disarm();
  await stage.leave();
});
after(() => stage?.close());

const pageOf = (guide) => readFile(join(import.meta.dirname, `../../docs/guides/${guide}.md`), "utf8");

/** What a page says of older code: the names that it imports, and the ten lines or so that follow. */
async function codeOf(guide) {
  const text = await pageOf(guide);
  const [, code] = /```js\n(.*?)```/s.exec(text);
  const [, names, rest] = /^import (\{.*?\}) from 'chatwire\/compat'\n(.*)$/s.exec(code);
  assert.ok(rest.trimEnd().split("\n").length <= 11, `${guide}: a page of ten lines`);
  return { names, rest };
}

/** Runs a page's code with the application's values, and `more` in its scope; what it logs is told as `log`. */
async function runPage(guide, { run, page }, values, more = "") {
  const ended = run(
    async ({ names, rest, values, more }) => {
      globalThis.logged = [];
      const console = { log: (...words) => globalThis.logged.push(words) };
      const button = document.body.appendChild(document.createElement("button"));
      Object.assign(button, { id: "consent", textContent: "consent", hidden: true });
      const application = { ...values, freshToken: () => values.token, console, button };
      const AsyncFunction = (async () => {}).constructor;
      const code = `const ${names} = globalThis.guide; ${rest}; ${more}`;
      await new AsyncFunction(...Object.keys(application), code)(...Object.values(application));
    },
    { ...(await codeOf(guide)), values, more },
  );
  return {
    ended,
    /** Waits until these words were logged, in this order of words. */
    logged: async (...words) => {
      await page.waitForFunction(
        (wanted) =>
          (globalThis.logged ?? []).some((words) =>
            wanted.every((word, at) => word === null || word === words[at]),
          ),
        words,
      );
    },
  };
}

test("docs/guides/assistant.md: typing, an answer in parts, consent at a click (A3 to A8, A11)", async () => {
  const ana = await reader(stage, "page ana");
  const { userId, token } = ana;
  const say = "globalThis.say = (text) => chat.sendMessage(text)";
  const page = await runPage("assistant", ana, { url: stage.server.assistant, userId, token }, say);
  await page.ended;
  await page.logged("connected");
  await page.logged("typing", true);
  await page.logged("text", null);
  await page.logged("typing", false);
  // The script asks with the third message.
  for (const text of ["And what else?", "And today?"]) await ana.run((text) => globalThis.say(text), text);
  const opened = ana.page.waitForEvent("popup");
  await ana.page.click("#consent");
  await (await opened).click("text=Allow");
  await page.logged("consent", true);
});

test("docs/guides/phoenix.md: a push is answered, what others say is heard (P1, P7, P8)", async () => {
  const [ana, ben] = [await reader(stage, "page ana"), await reader(stage, "page ben")];
  const url = stage.server.phoenix;
  const conversationId = await ben.run(
    async ({ url, token, userId, other }) => {
      globalThis.service = new globalThis.guide.SocketService({ url, userId, token });
      await globalThis.service.connect();
      const { id } = await (await globalThis.service.client()).createDirect(other);
      return id;
    },
    { url, token: ben.token, userId: ben.userId, other: ana.userId },
  );
  const page = await runPage("phoenix", ana, { url, userId: ana.userId, token: ana.token, conversationId });
  await page.ended;
  await page.logged("sent", "hello");
  await ben.run(async (id) => {
    const client = await globalThis.service.client();
    await client.send(id, "hello back");
  }, conversationId);
  await page.logged(ben.userId, "hello back");
});

test("docs/guides/team.md: shown at once, told its status (T2, T4, T16)", async () => {
  const [ana, ben] = [await reader(stage, "page ana"), await reader(stage, "page ben")];
  const { url } = stage.server;
  const conversationId = await ben.run(
    async ({ url, token, userId, other }) => {
      const socket = globalThis.guide.initializeSocket(token, { url, userId });
      const client = await socket.client();
      await client.connect();
      return (await client.createDirect(other)).id;
    },
    { url, token: ben.token, userId: ben.userId, other: ana.userId },
  );
  const page = await runPage("team", ana, { url, userId: ana.userId, token: ana.token, conversationId });
  await page.ended;
  await page.logged("connect");
  await page.logged("hello", null);
  await ben.run(async (id) => void (await globalThis.guide.sendMessage(id, "hellö 👋")), conversationId);
  await page.logged(ben.userId, "hellö 👋");
});

test("docs/guides/companion.md: she types, answers, sends a photo (C2, C3, C10)", async () => {
  const ana = await reader(stage, "page ana");
  const values = { url: stage.server.companion, userId: ana.number, token: ana.token, girlId: "luna" };
  const page = await runPage("companion", ana, values);
  await page.ended;
  await page.logged("connected", null);
  await page.logged("luna", true);
  await page.logged("girl", null);
  await ana.page.waitForFunction(() => globalThis.logged.flat().some((word) => /^https?:/.test(word)));
});

test("docs/guides/channels.md: acknowledged, nothing has failed (H1, H4)", async () => {
  const ana = await reader(stage, "page ana");
  const values = { url: stage.server.channels, userId: ana.userId, token: ana.token, channelId: "page" };
  const page = await runPage("channels", ana, values);
  await page.ended;
  await page.logged(true);
  assert.deepEqual((await ana.page.evaluate(() => globalThis.logged)).at(-1), [[]]);
});

/** How a page begins from zero, against this backend. */
async function recipeOf(guide) {
  const [, code] = /```ts\nimport \{ createChat \} from 'chatwire'\n(.*?)```/s.exec(await pageOf(guide));
  assert.ok(code.includes("'http://127.0.0.1:8787'"), `${guide}: the address that npm start prints`);
  return code.replace("'http://127.0.0.1:8787'", JSON.stringify(stage.server.origin));
}

for (const guide of ["team", "phoenix", "companion", "channels", "assistant"]) {
  test(`docs/guides/${guide}.md: from zero to a message that the backend has`, async () => {
    const page = await stage.blank();
    await page.evaluate(
      async (code) => {
        const { createChat } = await import("/chatwire/dist/index.js");
        globalThis.logged = [];
        const console = { log: (...words) => globalThis.logged.push(words) };
        const AsyncFunction = (async () => {}).constructor;
        await new AsyncFunction("createChat", "console", code)(createChat, console);
      },
      await recipeOf(guide),
    );
    await page.waitForFunction(() => globalThis.logged.flat().includes("acknowledged"));
  });
}
