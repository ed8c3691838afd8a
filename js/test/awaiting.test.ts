// A8: the assistant's typing begins when the user sends, and ends with the next message or failure.
import { expect, test } from "vitest";
import { Awaiting } from "../src/awaiting.js";
import type { Event } from "../src/core.js";
import { messageOf } from "./fake.js";

const here = { conversationId: "assistant" };
const online = connection("online");

function connection(state: "online" | "waiting" | "offline"): Event {
  const rest = { reason: null, retryInMs: null, attempt: 0, since: "", socketId: null, leader: true };
  return { type: "connection", connection: { state, ...rest } };
}

function status(status: "saved" | "sent" | "acknowledged" | "failed"): Event {
  return { type: "status", ...here, rowKey: "k1", status, failure: null };
}

function typing(typing: boolean, userId = "assistant"): Event {
  return { type: "typing", ...here, userId, typing };
}

const said = (sender: "ai" | "user"): Event => ({
  type: "message",
  message: messageOf({ ...here, sender }),
  live: true,
  leader: true,
});
const failed: Event = { type: "error", error: { code: "server", message: "tired", retryable: true } };

/** What is told of typing, and of what else in what order. */
function told(...events: Event[]): unknown[] {
  const awaiting = new Awaiting();
  return events.flatMap(awaiting.read).map((event) => (event.type === "typing" ? event.typing : event.type));
}

test("from what the user sends to the next message", () => {
  const sent = [online, status("saved"), status("sent"), status("acknowledged")];
  const until = ["connection", "status", true, "status", "status"];
  expect(told(...sent, said("ai"))).toEqual([...until, false, "message"]);
  expect(told(...sent, said("user"))).toEqual([...until, "message"]);
});

test("what was queued offline is awaited when it leaves", () => {
  const until = ["status", "connection", "status", true];
  expect(told(status("saved"), online, status("sent"))).toEqual(until);
  expect(told(status("saved"), online, status("sent"), said("ai"))).toEqual([...until, false, "message"]);
  // Sent and answered: what is told of it late begins nothing.
  const late = [online, status("saved"), said("ai"), status("sent"), status("acknowledged")];
  expect(told(...late)).toEqual(["connection", "status", true, false, "message", "status", "status"]);
});

test("the backend's own word is told once; its silence is no end while something is awaited", () => {
  const words = [typing(true), typing(true), typing(false), typing(false)];
  expect(told(online, ...words)).toEqual(["connection", true, false]);
  const sent = [online, status("saved"), ...words, status("sent"), said("ai"), typing(true), typing(false)];
  const until = ["connection", "status", true, "status"];
  expect(told(...sent)).toEqual([...until, false, "message", true, false]);
  expect(told(typing(true, "somebody"), typing(true, "somebody"))).toEqual([true, true]);
});

test("a failure ends it: of a message, of the assistant, of the connection", () => {
  const sent = [online, status("saved")];
  const until = ["connection", "status", true];
  expect(told(...sent, status("failed"))).toEqual([...until, "status", false]);
  expect(told(...sent, failed)).toEqual([...until, "error", false]);
  expect(told(...sent, connection("waiting"))).toEqual([...until, false, "connection"]);
  // Sent again, awaited again.
  expect(told(...sent, status("failed"), status("saved"))).toEqual([
    ...until,
    "status",
    false,
    "status",
    true,
  ]);
});

test("what waits for a connection is not being answered", () => {
  expect(told(connection("offline"), status("saved"))).toEqual(["connection", "status"]);
});

test("what is not as expected goes through", () => {
  expect(told({ type: "connection" } as never, { type: "message" } as never)).toEqual([
    "connection",
    "message",
  ]);
});
