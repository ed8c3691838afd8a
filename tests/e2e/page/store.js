// Watches the real IndexedDB: when a transaction that writes the outbox was begun, and that it is complete.
import { tell } from "./tell.js";

const begin = IDBDatabase.prototype.transaction;

IDBDatabase.prototype.transaction = function (...args) {
  const transaction = begin.apply(this, args);
  if (transaction.mode === "readwrite" && transaction.objectStoreNames.contains("outbox")) {
    const begunAt = performance.timeOrigin + performance.now();
    transaction.addEventListener("complete", () => tell({ kind: "commit", begunAt }));
  }
  return transaction;
};
