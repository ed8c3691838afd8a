// What is measured, of whom, and what is to be reached: docs/performance.md explains the goals.
import { median, pairs } from "./statistics.mjs";

const conversations = 20;

/** @param quick fewer messages, for a look that takes minutes less. */
export function worksOf({ quick }) {
  const each = quick ? 250 : 1_000;
  const missed = quick ? 250 : 500;
  const queued = quick ? 5 : 20;
  const shown = quick ? 200 : 1_000;
  const spread = quick ? 100 : 500;
  const start = quick ? { conversations: 200, each: 99 } : { conversations: 200, each: 499 };
  /** W7. A task of less is not told by the browser, and counts as none. */
  const longest = [
    "ms in the longest task of chatwire's main thread, of all rounds (W7)",
    50,
    ({ samples }) => Math.max(...samples.chatwire.map(({ longestMs }) => longestMs)),
  ];
  const ratio = (work, other) => median(pairs(work, "chatwire", other));
  return [
    {
      name: "W1",
      title: `live burst, ${each * conversations} messages`,
      work: "burst",
      contenders: ["chatwire", "plain", "well-written", "guides", "limit"],
      order: { conversations, each, stored: each },
      // Their time grows with the square of the messages: a tenth of them, and ten times the time, is in their favour.
      lighter: { guides: 10 },
      goals: [
        ["times receiving alone", 1.15, (work) => ratio(work, "limit")],
        ["times the same design in JavaScript", 1.1, (work) => ratio(work, "plain")],
        longest,
      ],
    },
    {
      name: "W2",
      title: `catch-up, ${missed * conversations} messages`,
      work: "catchUp",
      contenders: ["chatwire", "plain", "well-written"],
      order: { conversations, each: missed, stored: missed + 1 },
      goals: [
        ["of the well-written stack's time", 0.1, (work) => ratio(work, "well-written")],
        ["times the same design in JavaScript", 1.3, (work) => ratio(work, "plain")],
        longest,
      ],
    },
    {
      name: "W3",
      title: `cold start, ${(start.each + 1) * start.conversations} messages stored`,
      work: "start",
      contenders: ["chatwire", "plain", "well-written"],
      fill: "catchUp",
      order: { ...start, rows: 50, stored: start.each + 1 },
      goals: [["of the well-written stack's time", 0.5, (work) => ratio(work, "well-written")]],
    },
    {
      name: "W4",
      title: `offline flush, ${queued * conversations} messages, 20 ms round trip`,
      work: "flush",
      contenders: ["chatwire", "plain", "well-written", "one-at-a-time", "limit"],
      order: { conversations, each: queued, ackDelayMs: 20, stored: queued },
      goals: [
        [
          "of 1.3 times the round trips and a bare commit each",
          1,
          (work) => {
            const bare = work.samples.limit.map(({ ms }) => 1.3 * queued * 20 + ms);
            return median(work.samples.chatwire.map(({ ms }, at) => ms / bare[at]));
          },
        ],
        ["of the time of one at a time", 1 / 15, (work) => ratio(work, "one-at-a-time")],
      ],
    },
    {
      name: "W5",
      title: "send, p50",
      work: "send",
      contenders: ["chatwire", "plain", "well-written", "limit"],
      order: quick ? send(100, 300) : send(200, 800),
      goals: [
        ["times a bare strict transaction", 1.2, (work) => ratio(work, "limit")],
        [
          "of the time of as many bare strict transactions, in a burst",
          1 / 5,
          ({ samples, order }) =>
            median(
              samples.chatwire.map(({ burstMs }, at) => burstMs / (order.together * samples.limit[at].ms)),
            ),
        ],
      ],
    },
    {
      name: "W6",
      title: `memory after ${each * conversations} messages, in MB`,
      work: "memory",
      contenders: ["chatwire", "plain", "well-written"],
      order: { conversations, each, stored: each },
      goals: [["of the well-written stack's memory", 1, (work) => ratio(work, "well-written")]],
    },
    {
      name: "W8",
      title: `processor time of ten tabs, ${spread} messages in ${spread / 50} s`,
      work: "tab",
      contenders: ["chatwire", "well-written"],
      order: { tabs: 10, conversations: 1, each: spread, stored: spread, overMs: spread * 20 },
      goals: [
        [
          "sockets of ten tabs",
          1,
          ({ samples }) => Math.max(...samples.chatwire.map(({ sockets }) => sockets)),
        ],
        ["of the well-written stack's processor time", 0.2, (work) => ratio(work, "well-written")],
      ],
    },
    {
      name: "W9",
      title: "bytes until the first acknowledged message, brotli, in KB",
      counted: true,
      contenders: ["chatwire"],
      goals: [["KB without React", 160, ({ samples }) => samples.chatwire[0].ms]],
    },
    {
      name: "W10",
      title: `commits of React, ${shown} messages in ${shown / 100} s`,
      work: "rows",
      contenders: ["chatwire"],
      order: { conversations: 1, each: shown, stored: shown, overMs: shown * 10 },
      goals: [
        [
          "commits a frame",
          1,
          ({ samples }) => median(samples.chatwire.map(({ ms, frames }) => ms / frames)),
        ],
        [
          "rows rendered a message",
          1,
          ({ samples, order }) =>
            median(samples.chatwire.map(({ rowsRendered }) => rowsRendered / order.each)),
        ],
      ],
    },
  ];
}

/** A queue takes 1,000 messages. */
function send(alone, together) {
  return { conversations: 0, stored: 0, alone, together, queuedCount: alone + together };
}
