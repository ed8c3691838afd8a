// IndexedDB for src/web/db.rs: one call and one answer a request, however many records it has.
//
// Law: a transaction awaits nothing but its own requests, or it would commit half done; only `complete` is SAVED; an
// abort wrote nothing, unless the handle was lost, which may have been at the commit. The version of the database stays
// 1 for ever (records carry their own), so that no open is an upgrade which another tab could block. A page that freezes
// leaves no transaction open: its handlers would not run, and every other tab would wait for it.
//
// Records cross packed: their places and lengths as JSON, their bytes one behind the other. A call into the browser for
// each record, as wrappers in Rust make it, costs a crossing a record and 14 KB of compressed wasm.

const names = ["meta", "outbox", "history"];
const [SAVED, RECORDS, CONFLICT, UNKNOWN, DIED, QUOTA, FAILED] = [0, 1, 2, 3, 4, 5, 6];
const [ONE, ALL] = [0, 1];
/** A worker has none, and does not hear of freezing. */
const page = globalThis.document;

/** Opens or creates the database. Rejects with a text; what comes too late is closed, or it would block deletions. */
export function openStore(name, timeoutMs) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    const timer = setTimeout(() => {
      request.onsuccess = () => request.result.close();
      reject(`the database did not open within ${timeoutMs} ms: another tab may be deleting it`);
    }, timeoutMs);
    let isNew = false;
    request.onupgradeneeded = () => {
      isNew = true;
      for (const table of names)
        request.result.createObjectStore(table, { autoIncrement: table === "outbox" });
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(nameOf(request.error));
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      const store = { db: request.result, dead: false, isNew };
      store.db.onversionchange = store.db.onclose = () => {
        // At once: another tab waits for it with a deletion. Transactions under way still finish.
        closeStore(store);
        store.dead = true;
      };
      resolve(store);
    };
  }).catch((error) => {
    throw typeof error === "string" ? error : nameOf(error);
  });
}

export function closeStore(store) {
  store.db.close();
}

export function isDead(store) {
  return store.dead;
}

/** Whether this open has made the database: a second time, somebody has deleted it. */
export function isNew(store) {
  return store.isNew;
}

/** All reads in one transaction, so that they see one state: `[RECORDS, JSON of [[key, length], …] a read, bytes]`. */
export function readStore(store, reads, timeoutMs) {
  // Reading again is harmless, so every failure is worth a new handle.
  const work = readAll(store, JSON.parse(reads)).catch((error) => [DIED, nameOf(error)]);
  return inTime(work, timeoutMs, [DIED, `no answer within ${timeoutMs} ms`]);
}

/** One transaction: `[SAVED, JSON of the keys of the added rows]`, or what else became of it and the name of the error. */
export function writeStore(store, transaction, bytes, timeoutMs) {
  const { strict, expect, puts, adds, deletes, clear } = JSON.parse(transaction);
  let at = 0;
  // Copied before anything is awaited: the bytes lie in the wasm's memory.
  const next = (length) => {
    at += length;
    return bytes.slice(at - length, at);
  };
  for (const put of puts) put[2] = next(put[2]);
  const rows = adds.map(next);
  const tables = [...expect, ...puts, ...deletes, ...clear].map(([table]) => table);
  if (rows.length > 0) tables.push(1);
  if (tables.length === 0) return Promise.resolve([SAVED, "[]"]);
  let begun;
  try {
    // No more tables than it touches: other tabs write too. Where a browser knows no durability it ignores the option.
    begun = begin(store, tables, "readwrite", { durability: strict ? "strict" : "relaxed" });
  } catch (error) {
    return Promise.resolve([DIED, nameOf(error)]);
  }
  const work = write(begun, expect, puts, rows, deletes, clear).catch((error) =>
    failure(store, begun, error),
  );
  return inTime(work, timeoutMs, [UNKNOWN]);
}

/** What is given up runs on unheard: a write is read back after UNKNOWN. */
function inTime(work, timeoutMs, otherwise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs, otherwise);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function begin(store, tables, mode, options) {
  return store.db.transaction(
    [...new Set(tables)].map((table) => names[table]),
    mode,
    options,
  );
}

async function readAll(store, reads) {
  if (reads.length === 0) return [RECORDS, "[]", new Uint8Array()];
  const tables = reads.map(([table]) => table);
  const transaction = begin(store, tables, "readonly");
  const asked = reads.map((read) => readOne(transaction, ...read));
  commit(transaction);
  const lists = await Promise.all(asked);
  const values = lists.flatMap(([, values]) => values);
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + value.length, 0));
  let at = 0;
  for (const value of values) {
    bytes.set(value, at);
    at += value.length;
  }
  const places = lists.map(([keys, values]) => keys.map((key, index) => [key, values[index].length]));
  return [RECORDS, JSON.stringify(places), bytes];
}

/** Keys and values, both ascending by key; a value that is no bytes is none at all, which no record is. */
async function readOne(transaction, table, how, key) {
  const objects = transaction.objectStore(names[table]);
  if (how === ONE) {
    const value = await settled(objects.get(key));
    return value === undefined ? [[], []] : [[key], [bytesOf(value)]];
  }
  // Everything from the prefix to the prefix and the highest UTF-16 unit: IndexedDB orders texts by those.
  const range = how === ALL ? undefined : IDBKeyRange.bound(key, `${key}\uffff`);
  const [keys, values] = await Promise.all([
    settled(objects.getAllKeys(range)),
    settled(objects.getAll(range)),
  ]);
  return [keys, values.map(bytesOf)];
}

async function write(transaction, expect, puts, rows, deletes, clear) {
  const end = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  const objects = (table) => transaction.objectStore(names[table]);
  const added = [];
  // Between what is read and what is written it needs its handlers.
  const onFreeze = () => void abort(transaction, end);
  page?.addEventListener("freeze", onFreeze);
  try {
    const found = await Promise.all(expect.map(([table, key]) => settled(objects(table).get(key))));
    if (found.some((value, index) => versionOf(value) !== expect[index][2])) {
      await abort(transaction, end);
      return [CONFLICT];
    }
    for (const [table] of clear) objects(table).clear();
    for (const [table, key, bytes] of puts) objects(table).put(bytes, key);
    for (const [table, key] of deletes) objects(table).delete(key);
    for (const row of rows) added.push(objects(1).add(row));
    commit(transaction);
  } catch (error) {
    await abort(transaction, end);
    throw error;
  } finally {
    page?.removeEventListener("freeze", onFreeze);
  }
  await end;
  return [SAVED, JSON.stringify(added.map((request) => request.result))];
}

/** It needs no handler any more. Old browsers commit by themselves when the last one has run. */
function commit(transaction) {
  transaction.commit?.();
}

async function abort(transaction, end) {
  try {
    transaction.abort();
  } catch {
    // It was aborting already.
  }
  await end.catch(() => {});
}

function failure(store, transaction, error) {
  const name = nameOf(transaction.error ?? error);
  if (name === "QuotaExceededError") return [QUOTA, name];
  // `UnknownError` is Safari's word for a lost database server, and what was aborted by a freeze is written again.
  return store.dead || name === "UnknownError" || name === "AbortError" ? [UNKNOWN, name] : [FAILED, name];
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function bytesOf(value) {
  return value instanceof Uint8Array ? value : new Uint8Array();
}

/**
 * The stamp in a record's header as decimal text, `null` for what is no record. The layout of the header holds for every
 * format there will ever be: `CW` at 0, the stamp at 4, the payload from 24 (src/proto/store/format.rs).
 */
function versionOf(value) {
  const bytes = bytesOf(value);
  if (bytes[0] !== 0x43 || bytes[1] !== 0x57 || bytes.length < 24) return null;
  return String(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(4, true));
}

/** Only the name: the text of an exception may hold anything. */
function nameOf(error) {
  return error?.name ?? "an exception";
}
