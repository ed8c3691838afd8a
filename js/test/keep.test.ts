import { expect, test } from "vitest";
import type { ExportedConversation } from "../src/index.js";
import { chatOf, next, pair, serve, until } from "./support.js";

test("a draft stands in the conversation and in the list, is told, and goes when it is empty", async () => {
  const { ana, id } = await pair(await serve());
  const told = next(ana, "conversation", ({ draft }) => draft !== "");
  await ana.setDraft(id, "half a sen");
  expect((await told)[0]).toMatchObject({ id, draft: "half a sen" });
  await until(ana.conversation(id), (conversation) => conversation?.draft === "half a sen");
  expect(ana.conversations().getSnapshot()[0]?.draft).toBe("half a sen");
  await ana.setDraft(id, "");
  await until(ana.conversation(id), (conversation) => conversation?.draft === "");
});

test("a draft is checked as a message's text is", async () => {
  const server = await serve();
  const { id } = await pair(server);
  const chat = await chatOf(server, "ana", { limits: { maxTextLength: 5 } });
  await expect(chat.setDraft(id, "123456")).rejects.toMatchObject({ code: "tooLarge" });
  await expect(chat.setDraft("", "a")).rejects.toMatchObject({ code: "validation" });
  // @ts-expect-error A draft is a text.
  await expect(chat.setDraft(id, 7)).rejects.toMatchObject({ code: "validation" });
});

test("an export has what was said, in the shape of the API or as lines", async () => {
  const { ana, ben, id } = await pair(await serve());
  for (const text of ["one", "two\nlines"]) {
    const { key } = await ana.send(id, text);
    await ana.acknowledged(key);
  }
  await until(ben.conversation(id), (conversation) => conversation?.lastMessage?.text === "two\nlines");
  const exported = JSON.parse(await ben.exportConversation(id, "json")) as ExportedConversation;
  expect(exported.messages.map(({ text, sender }) => [text, sender])).toEqual([
    ["one", "user"],
    ["two\nlines", "user"],
  ]);
  expect(exported).toMatchObject({ conversation: { id }, damaged: [], complete: expect.any(Boolean) });
  const lines = (await ben.exportConversation(id, "text")).split("\n");
  expect(lines[2]).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d\] .+: one$/);
  expect(lines[4]).toBe("    lines");
});

test("an export of what is not known, or in another format, rejects", async () => {
  const { ana, id } = await pair(await serve());
  await expect(ana.exportConversation("nowhere", "json")).rejects.toMatchObject({ code: "notFound" });
  // @ts-expect-error There are two formats.
  await expect(ana.exportConversation(id, "xml")).rejects.toMatchObject({ code: "validation" });
});
