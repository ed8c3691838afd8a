/** Opened and deleted at once, empty; no name of a store begins so. */
const NAME = "log turned by chatwire";
let isAwake = false;

/**
 * Once a page. A browser takes as long to get at a page's databases as the wasm takes to load: both at once.
 *
 * Chromium keeps them in a LevelDB, whose log it goes on with after it was killed. Killed in the middle of a record it leaves
 * half a one, which is harmless, and writes the next behind it, which is not: at the start after that the log does not add
 * up, and the browser throws away every database of the origin without a word (Chromium 156: `Corruption: checksum mismatch`
 * after one in twenty kills under load). A database that is deleted has the log turned over: what stands in it goes into
 * a table, and a new one begins (2 to 8 ms, in the browser's own process).
 */
export async function wakeStore(): Promise<void> {
  if (isAwake) return;
  isAwake = true;
  try {
    if (/Chrom(e|ium)\//.test(navigator.userAgent)) turnLog();
    else await indexedDB.databases();
  } catch {
    // Where it cannot be asked, the core opens its database all the same, or finds out why not.
  }
}

function turnLog(): void {
  const request = indexedDB.open(NAME, 1);
  request.onsuccess = () => {
    request.result.close();
    indexedDB.deleteDatabase(NAME);
  };
  // A full disk, say. What is stored is as it was.
  request.onerror = (event) => event.preventDefault();
}
