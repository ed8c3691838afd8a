// What nobody can be faster than: frames received and not looked at, segments written that lie ready, a row a transaction.
import { RawSocket } from "../raw-socket.js";
import { open as openStore, write } from "../store.js";

const segmentBytes = 20_000;

export async function receive({ url, userId }, count) {
  let received = 0;
  let resolve;
  const all = new Promise((settle) => {
    resolve = settle;
  });
  const socket = new RawSocket(url, userId, (frame) => {
    if (frame.startsWith('42["chat:message_received"') && ++received === count) resolve();
  });
  await socket.opened;
  return { all, close: () => socket.close() };
}

export const openBare = (userId) => openStore(`limit ${userId}`, (db) => db.createObjectStore("rows"));

/** So many messages in segments of 100, in one transaction. */
export async function writePacked(db, messages) {
  const bytes = crypto.getRandomValues(new Uint8Array(segmentBytes));
  await write(db, ["rows"], "relaxed", (rows) => {
    for (let at = 0; at < messages / 100; at++) rows.put(bytes, at);
  });
}

/** One row in a strict transaction of its own. */
export function writeRow(db, key, text) {
  return write(db, ["rows"], "strict", (rows) => rows.put({ key, text }, key));
}
