// IndexedDB as it is, for the contenders that use no library.
export function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export function open(name, make) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => make(request.result);
  return settled(request);
}

/** One transaction: `act` asks for all of it. Resolves when it is on disk, as far as `durability` promises that. */
export function write(db, tables, durability, act) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(tables, "readwrite", { durability });
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    act(...tables.map((table) => transaction.objectStore(table)));
    transaction.commit();
  });
}
