// Puts records, as the product's core has written them, into the database that the product has made.
import { createChat } from "/chatwire/dist/index.js";
import { options } from "./options.js";

export async function run({ size }) {
  const chat = await createChat(options);
  await chat.close();
  const [{ name }] = await indexedDB.databases();
  const db = await settled(indexedDB.open(name));
  const index = await (await fetch(`/records/${size}/index.json`)).json();
  for (const [number, places] of index.files.entries()) {
    const bytes = await (await fetch(`/records/${size}/${number}.bin`)).arrayBuffer();
    await put(db, places, bytes);
  }
  db.close();
  const { usage } = await navigator.storage.estimate();
  return { name, usage };
}

function put(db, places, bytes) {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(["meta", "history"], "readwrite");
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
    let at = 0;
    for (const [table, key, length] of places) {
      transaction.objectStore(table).put(new Uint8Array(bytes.slice(at, at + length)), key);
      at += length;
    }
  });
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
