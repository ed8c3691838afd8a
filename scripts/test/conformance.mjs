// docs/conformance.md: for each numbered fact of the wires the tests that name its number, and how they ended.
//
// A test names its facts by their numbers: in Rust at the front of its name (`e3_e6_…`), in JavaScript anywhere in it
// (`(E3, E6)`). A fact that no test names, or of which a test failed, fails the suite.
import { writeFile } from "node:fs/promises";
import { inRoot } from "../lib/run.mjs";

const facts = {
  E1: "the address asks for Engine.IO 4 over WebSocket alone, without a sid; the first frame is the handshake",
  E2: "the server pings, the client pongs; dead after interval and time-out; the wall clock is compared before a send",
  E3: "one packet a frame; binary frames have no type byte; noop ignored, upgrade never sent, close closes",
  E4: "CONNECT always, also for the default namespace; the auth goes there, evaluated on every connect",
  E5: "the order in which a packet is read; an event's name is a number or a string that is not reserved",
  E6: "binary packets: N attachments, exactly N binary frames, text between is an error, N bounded",
  E7: "ack ids of one namespace; late ones dropped, pending ones failed on a loss, a server's answered once",
  E8: "CONNECT_ERROR that refuses the token: refreshed once, then authError; any other: backoff; DISCONNECT ends",
  E9: "events before the CONNECT reply are kept",
  E10: "CONNECT without a sid is a version-2 server: a named error",
  E11: "recovery by pid and offset, only if the same pid returns",
  E12: "maxPayload is checked before a frame goes out",
  X1: "the token as a sub-protocol in standard base64, or in the URL where asked for by name",
  X2: "refs are texts or null; frames of another join are dropped; answers are matched by ref",
  X3: "any status and any response; two replies to one ref",
  X4: "phx_close: no rejoin; phx_error: rejoin after 1, 2, 5, 10 s; pushes go back to the outbox",
  X5: "join time-out 10 s, with phx_leave first; no death sentence while a join is pending",
  X6: "a duplicate join evicts the older one; a join_ref is never used again",
  X7: "heartbeat every 30 s, fed from network events too",
  X8: "pushes before the join's reply wait; stale ones judge nothing",
  X9: "whatever close the client did not ask for reconnects; a refused upgrade asks for a fresh token once",
  X10: "binary pushes, replies and broadcasts; a reply may come in the other encoding",
  X11: "presence: diffs wait for the state, are merged by phx_ref, gone when no meta is left",
  X12: "join parameters evaluated on every rejoin; vsn is 2.0.0",
  A1: "the address names the user",
  A2: "the token as a sub-protocol, as the first frame, or in the URL where asked for by name",
  A3: "a send is a command with text, user, time zone and metadata",
  A4: "a send carries its key",
  A5: "records by the user or the assistant; types and metadata are kept",
  A6: "message, also bare, typing, ack, error, context",
  A7: "message, connected, disconnected with its reason, error, typing",
  A8: "isTyping from what the user sends until the next message or failure",
  A9: "the client closes with 1000 and a reason",
  A10: "a ping every 30 s; silence is death only with a server that has answered one",
  A11: "consent in a popup, http(s) only; blocked, closed and timed out are told apart",
  A12: "three tries, then kept as failed",
  A13: "500 characters",
  A14: "the network manager: online, offline, connectionChange, connected",
  P1: "one socket; topics joined and left for each conversation",
  P2: "frames are join_ref, ref, topic, event, payload",
  P3: "phx_join, phx_leave, phx_reply, phx_close, phx_error and the heartbeat",
  P4: "binary pushes, replies and broadcasts",
  P5: "presence_state and presence_diff",
  P6: "conversation:ID and user:ID",
  P7: "message:send with its key, message:read, typing; the reply has the message",
  P8: "message:new, update, delete, read; typing",
  P9: "conversations and history over REST; cursors are opaque",
  P10: "restore, sync, live",
  P12: "the same events over Socket.IO, with the topic in the payload",
  T1: "CONNECT carries the token",
  T2: "presence, messages, receipts and typing go out",
  T3: "a send carries its key and is answered by success, data, error",
  T4: "messages, statuses, typing and presence come in",
  T5: "content is the base64 of UTF-8",
  T6: "direct conversations; a conflict is a find",
  T7: "groups and their roles",
  T8: "list and details of conversations",
  T9: "members are added and removed",
  T10: "history by offset, overlapping, or after a number",
  T11: "the same messages over REST",
  T12: "edits and removals",
  T13: "marks and reactions",
  T14: "sent, delivered, read",
  T15: "errors by their names",
  T16: "shown at once, reconciled; kept where it fails",
  T17: "on a reconnect: presence, what was missed, the queue",
  C1: "CONNECT says token and number of the user; connected at login, disconnected at logout",
  C2: "what goes out: messages, typing, reading, the wish for a photo; none is answered",
  C3: "what comes in: messages, her typing, what she has read, photos",
  C4: "any other event reaches the application",
  C5: "connected and disconnected are told of the own connection",
  C6: "ids of users and messages are numbers on the wire",
  C7: "girl_id is the conversation",
  C8: "1, 2, 4, 5 s, five attempts, then failed; connect, online and a page shown again begin anew",
  C9: "typing stops by itself 2 s after the last key",
  C10: "the companion's client: connect(userId, token), sendMessage, setTyping, markAsRead, requestPhoto and the rest",
  C11: "useWebSocket, useWebSocketStatus, WebSocketProvider",
  H1: "useSocket(config): a raw token, onAuthError, onConnectionError, onReconnect",
  H2: "CONNECT says token and user",
  H3: "five attempts, 1 s apart",
  H4: "a send is the whole message, its id is its key; answered by success, data, error",
  H5: "messages and receipts of a channel",
  H6: "auth_failed, connection_error, message_failed",
  H7: "an expired token is refreshed and the connection goes on; what is pending goes",
  D1: "where to connect",
  D2: "what a server declares, and what is assumed without",
  D3: "errors of REST and answers; the same key again",
  D4: "rows, pages, events and requests of the team",
  D5: "login, refresh, expiry",
  D6: "what a refusal of the token is",
  D7: "rows, pushes and joins of phoenix",
  D8: "the companion's record; a photo by its address",
  D9: "the sub-protocols of a token; auth as the first frame, answered by auth_ok or an error of code auth",
  D10: "silence on a live socket is the loss of the socket, not an answer",
  D11: "after two losses a message goes alone, a third is poison; failed connects count for nothing",
  D12: "an own copy without a key is held at most 30 s",
  D13: "order without numbers: the server's time, then arrival",
  D14: "a second tab stores, and waits until it leads",
};

const file = "docs/conformance.md";

/** What ended how, from what the test programs wrote: names, and whether they passed. What was skipped has not ended. */
export function resultsIn(log) {
  const results = [];
  const lines = [
    // libtest; node:test as TAP, and for people.
    [/^test (\S+) \.\.\. (ok|FAILED)$/gm, 1, 2],
    [/^\s*((?:not )?ok) \d+ - ((?:(?! # [A-Z]{4}\b).)+?)(?: # (?![A-Z]{4}\b).*)?$/gm, 2, 1],
    [/^\s*([✔✖]) (.+?) \([\d.]+ms\)$/gm, 2, 1],
  ];
  for (const [pattern, name, end] of lines) {
    for (const match of log.matchAll(pattern)) {
      results.push({ name: match[name], passed: ["ok", "✔"].includes(match[end]) });
    }
  }
  return results;
}

/** Vitest's JSON report. */
export function resultsOfVitest(json) {
  const tests = JSON.parse(json).testResults.flatMap((file) => file.assertionResults);
  return tests.map(({ title, status }) => ({ name: title, passed: status === "passed" }));
}

/** The facts that a test names. */
function factsOf(name) {
  const last = name.split("::").at(-1);
  const front = /^((?:[a-z]\d+_)+)/.exec(last)?.[1] ?? "";
  const named = [...front.toUpperCase().split("_"), ...(name.match(/\b[A-Z]\d+\b/g) ?? [])];
  // "(T1 to T5)" names them all.
  for (const [, letter, first, last] of name.matchAll(/\b([A-Z])(\d+) to \1(\d+)\b/g)) {
    for (let number = Number(first) + 1; number < Number(last); number++) named.push(`${letter}${number}`);
  }
  return [...new Set(named)].filter((fact) => fact in facts);
}

/** Writes the table; gives what is wrong with it. */
export async function writeConformance(results) {
  const wrong = [];
  const rows = [];
  for (const [fact, text] of Object.entries(facts)) {
    const tests = results.filter(({ name }) => factsOf(name).includes(fact));
    if (tests.length === 0) wrong.push(`no test names ${fact}`);
    const failed = tests.filter(({ passed }) => !passed);
    for (const { name } of failed) wrong.push(`${fact}: ${name} failed`);
    const names = [...new Set(tests.map(({ name }) => `\`${name.split("::").at(-1)}\``))].sort();
    const end = tests.length > 0 && failed.length === 0 ? "pass" : "fail";
    rows.push(`| ${fact} | ${text} | ${names.join("<br>")} | ${end} |`);
  }
  const table = `# Which test shows which fact of the wires

Written by \`npm test\` from what its tests are called and how they ended: the facts are those of Engine.IO 4 and Socket.IO 5 (E) and of
Phoenix Channels V2 (X), of the five backends (A, P, T, C, H), with what was decided where they are silent (D). A fact without a test fails the run. P11, calls, is to come.

| fact | in short | tests | |
|---|---|---|---|
${rows.join("\n")}
`;
  await writeFile(inRoot(file), table);
  return wrong;
}
