// IndexedDB for src/web/db.rs: one call and one answer a request, however many records it has.
//
// Law: no transaction waits for its page, where the engine allows it (`failsAfterCommit`). All its requests and its
// `commit()` are asked for in one task, or a page that hangs in the middle would hold up every other tab. So nothing can
// be read and compared: who replaces a record of a known version adds a mark, `[key, version]`, to meta, and who expects
// that version adds the same mark, which fails where it stands. It holds under the rules of `Transaction`
// (src/proto/api/store.rs). Marks of rows end with the generation, which whoever expects a row expects too; those of
// generations stay, also over a wipe.
// Only `complete` is SAVED; an abort wrote nothing, unless the handle was lost, which may have been at the commit. The version of
// the database stays 1 for ever (records carry their own), so that no open is an upgrade which another tab could block.
//
// Records cross packed: places and lengths of those that are written as JSON, what is read in one array (packed.js). A call
// into the browser for each record, as wrappers in Rust make it, costs a crossing a record and 14 KB of compressed wasm.

const names = ["meta", "outbox", "history"];
const [SAVED, RECORDS, CONFLICT, UNKNOWN, DIED, QUOTA, FAILED] = [0, 1, 2, 3, 4, 5, 6];
const [ONE, ALL] = [0, 1];
const MAX_LOOKS = 20; // at what stands where nothing was expected
/**
 * Whether a request that fails after `commit()` aborts its transaction. The specification says so; Firefox aborts only where
 * it was the last one. Until it is known, and there, whatever is more than one request commits by itself, and waits for its page.
 */
let failsAfterCommit = false;
// Keys are ordered: numbers, texts, bytes, arrays. Of what is no record the bytes are the version, with how often they
// were replaced before: `[0, key, bytes, times]`.
const records = () => IDBKeyRange.upperBound([], true);
const marksOfReign = () => IDBKeyRange.bound([0], [""]);
const recordsAndMarksOfReign = () => IDBKeyRange.upperBound([""]);

/** Opens or creates the database, and asks for what is read `first`. What comes too late is closed, or it would block deletions. */
export function openStore(name, first, timeoutMs) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    const timer = setTimeout(() => {
      request.onsuccess = () => request.result.close();
      reject(`the database did not open within ${timeoutMs} ms: another tab may be deleting it`);
    }, timeoutMs);
    request.onupgradeneeded = () => {
      for (const table of names)
        request.result.createObjectStore(table, { autoIncrement: table === "outbox" });
      // Stays empty: its name tells this database from the next of the same name, without a read.
      request.result.createObjectStore(`of ${Math.random()}`);
    };
    request.onerror = () => {
      clearTimeout(timer);
      reject(nameOf(request.error));
    };
    request.onsuccess = () => {
      clearTimeout(timer);
      const store = { db: request.result, dead: false };
      if (first) store.first = [first, readAll(store, first)];
      // Behind what is read first.
      if (!failsAfterCommit) setTimeout(tryCommit, 0, store);
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

/** Adds the same mark twice, with a request behind it, and commits. */
function tryCommit(store) {
  let transaction;
  try {
    transaction = begin(store, [0], "readwrite");
  } catch {
    // Closed meanwhile: the next one that is opened tells.
    return;
  }
  const objects = transaction.objectStore(names[0]);
  const mark = [0, "probe"];
  objects.delete(mark);
  objects.add(1, mark);
  objects.add(1, mark);
  objects.delete(mark);
  transaction.onabort = () => {
    // Aborted for another reason (a full disk) it says nothing.
    if (isConstraint(transaction.error)) failsAfterCommit = true;
  };
  transaction.commit?.();
}

export function closeStore(store) {
  store.db.close();
}

/** What is still being opened is closed then. */
export const closeAhead = (opening) => opening.then(closeStore, () => {});

export function isDead(store) {
  return store.dead;
}

/** Another answer than the last time: somebody has deleted the database. */
export function idOf(store) {
  return [...store.db.objectStoreNames].find((name) => !names.includes(name)) ?? "";
}

/** All reads in one transaction, so that they see one state: `[RECORDS, [keys, bytes] of each read]`. */
export function readStore(store, reads, timeoutMs) {
  const [asked, answer] = store.first ?? [];
  store.first = undefined;
  const work = asked === reads ? answer : readAll(store, reads);
  return inTime(work, timeoutMs, [DIED, `no answer within ${timeoutMs} ms`]);
}

/** One transaction: `[SAVED, JSON of the keys of the added rows]`, or what else became of it and the name of the error. */
export function writeStore(store, transaction, bytes, timeoutMs) {
  const change = JSON.parse(transaction);
  let at = 0;
  // Copied before anything is awaited: the bytes lie in the wasm's memory.
  const next = (length) => {
    at += length;
    return bytes.slice(at - length, at);
  };
  for (const put of change.puts) put[2] = next(put[2]);
  change.adds = change.adds.map(next);
  return inTime(write(store, change), timeoutMs, [UNKNOWN]);
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

/** Reading again is harmless, so every failure is worth a new handle. */
async function readAll(store, reads) {
  try {
    const wanted = JSON.parse(reads);
    if (wanted.length === 0) return [RECORDS, []];
    const tables = wanted.map(([table]) => table);
    const transaction = begin(store, tables, "readonly");
    const asked = wanted.map((read) => readOne(transaction, ...read));
    transaction.commit?.();
    return [RECORDS, await Promise.all(asked)];
  } catch (error) {
    return [DIED, nameOf(error)];
  }
}

/** Keys and values, both ascending by key; a value that is no bytes is none at all, which no record is. */
async function readOne(transaction, table, how, key) {
  const objects = transaction.objectStore(names[table]);
  if (how === ONE) {
    const value = await settled(objects.get(key));
    return value === undefined ? [[], []] : [[key], [bytesOf(value)]];
  }
  // From the prefix to the prefix and the highest UTF-16 unit: IndexedDB orders texts by those.
  const range = how === ALL ? records() : IDBKeyRange.bound(key, `${key}\uffff`);
  const [keys, values] = await Promise.all([
    settled(objects.getAllKeys(range)),
    settled(objects.getAll(range)),
  ]);
  return [keys, values.map(bytesOf)];
}

async function write(store, change) {
  let left;
  let freed = false;
  for (let looks = 0; ; looks += 1) {
    const answer = await writeOnce(store, change);
    if (answer[0] === QUOTA && !freed && change.deletes.some(isHistory)) {
      freed = true;
      if (await deleteAlone(store, change)) continue;
    }
    if (answer[0] === QUOTA && wipes(change) && !left) {
      // Deleting needs no room but that of the mark. It is a wipe all the same: whoever expects what stood there does so in
      // vain, and whoever leads next finds no generation.
      left = change.puts;
      change.puts = [];
      continue;
    }
    if (answer[0] === SAVED && left) {
      // There is room now. Where another tab was faster its generation stands.
      const expect = left.map(([table, key]) => [table, key, null]);
      await writeOnce(store, { ...change, expect, puts: left, clear: [], claims: false });
    }
    if (answer[0] !== CONFLICT || looks >= MAX_LOOKS || !(await lookAgain(store, change))) return answer;
  }
}

const isHistory = ([table]) => table === 2;

/**
 * A full disk takes nothing that is put, whatever goes in the same transaction: what is to go of the history goes first, if
 * all that is expected stands. Marks are puts, so this one reads, and waits for its page. `false`: it did not take place.
 */
function deleteAlone(store, { expect, deletes }) {
  const gone = deletes.filter(isHistory);
  const tables = [...expect, ...gone].map(([table]) => table);
  return new Promise((resolve) => {
    const transaction = begin(store, tables, "readwrite");
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () => resolve(false);
    const remove = () => {
      for (const [table, key] of gone) transaction.objectStore(names[table]).delete(key);
    };
    let open = expect.length;
    if (open === 0) remove();
    for (const [table, key, version] of expect) {
      transaction.objectStore(names[table]).get(key).onsuccess = ({ target }) => {
        if (versionOf(target.result) !== version) abort(transaction);
        else if (--open === 0) remove();
      };
    }
  }).catch(() => false);
}

function wipes({ clear }) {
  return clear.length > 0;
}

function writeOnce(store, { strict, expect, puts, adds, deletes, clear, claims }) {
  const tables = [...expect, ...puts, ...deletes, ...clear].map(([table]) => table);
  if (expect.length > 0) tables.push(0);
  if (adds.length > 0) tables.push(1);
  if (tables.length === 0) return [SAVED, "[]"];
  let transaction;
  try {
    // No more tables than it touches: other tabs write too. Where a browser knows no durability it ignores the option.
    transaction = begin(store, tables, "readwrite", { durability: strict ? "strict" : "relaxed" });
  } catch (error) {
    return [DIED, nameOf(error)];
  }
  return new Promise((resolve) => {
    let conflict = false;
    const must = (request) => {
      request.onerror = () => {
        conflict ||= isConstraint(request.error);
      };
    };
    const objects = (table) => transaction.objectStore(names[table]);
    const added = [];
    const notAdded = () => added.some(({ error }) => error && error.name !== "AbortError");
    const parts = [expect, puts, adds, deletes, clear].reduce((sum, part) => sum + part.length, 0);
    const torn = expect.filter(([, , version]) => Array.isArray(version));
    // A request that failed without an abort is Firefox's, after a commit.
    transaction.oncomplete = () =>
      resolve(
        conflict || notAdded() ? [UNKNOWN] : [SAVED, JSON.stringify(added.map((request) => request.result))],
      );
    // A number that is taken, or none left, is no conflict: nothing was expected of it.
    transaction.onabort = () =>
      resolve(
        conflict || (isConstraint(transaction.error) && !notAdded())
          ? [CONFLICT]
          : failure(store, transaction.error),
      );
    try {
      for (const [table, key, version] of expect) {
        if (version === null) {
          // What can be added is not there.
          must(objects(table).add(1, key));
          objects(table).delete(key);
          continue;
        }
        const mark = markOf(key, version);
        must(objects(0).add(1, mark));
        // It stays where its version is replaced.
        if (![...puts, ...deletes, ...clear].some(covers(table, key))) objects(0).delete(mark);
      }
      for (const [table] of clear) {
        if (table === 0) objects(0).delete(recordsAndMarksOfReign());
        else objects(table).clear();
      }
      // The mark of what was no record stands until the next claim: a second one may have seen it too.
      if (claims && torn.length === 0) objects(0).delete(marksOfReign());
      if (clear.length > 0) for (const [, key, version] of torn) objects(0).put(1, markOf(key, version));
      // A version that is drawn once more is in force again.
      for (const [, key, bytes] of claims ? puts : []) objects(0).delete(markOf(key, versionOf(bytes) ?? ""));
      for (const [table, key, bytes] of puts) objects(table).put(bytes, key);
      for (const [table, key] of deletes) objects(table).delete(key);
      for (const row of adds) added.push(objects(1).add(row));
      // Else it commits by itself when all is done.
      if (failsAfterCommit || parts < 2) transaction.commit?.();
    } catch (error) {
      resolve(failure(store, error));
      abort(transaction);
    }
  });
}

function markOf(key, version) {
  return typeof version === "string" ? [key, version] : [0, key, ...version];
}

/** What is put or deleted at a place, or cleared with its table. */
function covers(table, key) {
  return (place) => place[0] === table && (place.length === 1 || place[1] === key);
}

/**
 * After a conflict. Where no record was expected stands something that is none: it is replaced as it is. A wipe replaces
 * whatever it finds. `false`: neither.
 */
async function lookAgain(store, change) {
  let again = wipes(change);
  for (const place of change.expect) {
    const [table, key, expected] = place;
    if (expected !== null && !wipes(change)) continue;
    const found = await readAlone(store, table, (objects) => objects.get(key));
    const version = versionOf(found);
    if (found === undefined || version !== null) {
      // Another tab's record, or nothing any more: the core looks at it.
      if (!wipes(change)) return false;
      place[2] = version;
    } else {
      const value = bytesOf(found);
      place[2] = [value, await timesReplaced(store, key, value)];
    }
    again = true;
  }
  return again;
}

function timesReplaced(store, key, bytes) {
  const marks = IDBKeyRange.bound([0, key, bytes], [0, key, bytes, []]);
  return readAlone(store, 0, (objects) => objects.count(marks));
}

function readAlone(store, table, ask) {
  const transaction = begin(store, [table], "readonly");
  const asked = settled(ask(transaction.objectStore(names[table])));
  transaction.commit?.();
  return asked;
}

/** `[persisted, usage, quota]`, 0 where the browser does not say. A question to the user may stay open for long. */
export async function estimateStorage(persist, timeoutMs) {
  const storage = globalThis.navigator?.storage;
  const asked = (persist ? storage?.persist?.() : storage?.persisted?.()) ?? false;
  const [persisted, estimate] = await inTime(
    Promise.all([Promise.resolve(asked).catch(() => false), storage?.estimate?.()]),
    timeoutMs,
    [false, await storage?.estimate?.()],
  );
  return [persisted === true, estimate?.usage ?? 0, estimate?.quota ?? 0];
}

function isConstraint(error) {
  return error?.name === "ConstraintError";
}

function abort(transaction) {
  try {
    transaction.abort();
  } catch {
    // It was aborting already.
  }
}

function failure(store, error) {
  const name = nameOf(error);
  if (name === "QuotaExceededError") return [QUOTA, name];
  // `UnknownError` is Safari's word for a lost database server.
  return store.dead || name === "UnknownError" || name === "AbortError" ? [UNKNOWN, name] : [FAILED, name];
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Those of another realm (fake-indexeddb in jsdom) are copied into this one. */
function bytesOf(value) {
  if (value instanceof Uint8Array) return value;
  return new Uint8Array(ArrayBuffer.isView(value) ? value : 0);
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
