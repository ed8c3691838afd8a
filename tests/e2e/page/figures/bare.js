// What there is to beat: the same reads of the same records as the product makes at its start, by hand and for nothing.
const tables = ["meta", "outbox", "history"];

/** @param reads transactions, each a list of `[table, "all"]`, `[table, "prefix", text]` or `[table, "one", key]`. */
export async function run({ name, reads }) {
  const began = performance.now();
  const db = await settled(indexedDB.open(name));
  const opened = performance.now();
  let bytes = 0;
  let records = 0;
  for (const read of reads) {
    for (const values of await all(db, read)) {
      for (const value of values) bytes += value.byteLength;
      records += values.length;
    }
  }
  const ended = performance.now();
  const { usage } = await navigator.storage.estimate();
  return { openMs: opened - began, readMs: ended - opened, allMs: ended - began, bytes, records, usage };
}

function all(db, read) {
  const transaction = db.transaction(
    tables.filter((table) => read.some(([name]) => name === table)),
    "readonly",
  );
  const asked = read.map(async ([table, how, key]) => {
    const objects = transaction.objectStore(table);
    if (how === "one") return [await settled(objects.get(key))];
    // Texts alone are records: other keys are marks.
    const range =
      how === "prefix" ? IDBKeyRange.bound(key, `${key}\uffff`) : IDBKeyRange.upperBound([], true);
    const [, values] = await Promise.all([
      settled(objects.getAllKeys(range)),
      settled(objects.getAll(range)),
    ]);
    return values;
  });
  return Promise.all(asked);
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
