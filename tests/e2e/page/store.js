// Watches the real IndexedDB: when a transaction that writes the outbox was begun, and that it is complete; and when the
// browser makes a database because it has none of this name.
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

const open = IDBFactory.prototype.open;

IDBFactory.prototype.open = function (...args) {
  const request = open.apply(this, args);
  request.addEventListener("upgradeneeded", () => tell({ kind: "databaseMade", name: args[0] }));
  return request;
};
