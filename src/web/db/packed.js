// What was read, as one array of bytes: for src/web/db/packed.rs. At the start somebody waits for some hundred records, and JSON
// beside the bytes, as requests cross, took the wasm longer to read than what it is about.

const utf8 = new TextEncoder();

/** Of lists of keys and values: how many lists; of each how many records; of each the lengths of both, key and value. */
export function packed(lists) {
  let size = 4;
  for (const [keys, values] of lists) {
    size += 4;
    for (let at = 0; at < keys.length; at++) size += 8 + 3 * String(keys[at]).length + values[at].length;
  }
  const bytes = new Uint8Array(size);
  const numbers = new DataView(bytes.buffer);
  let end = 0;
  const count = (value) => {
    numbers.setUint32(end, value, true);
    end += 4;
  };
  count(lists.length);
  for (const [keys, values] of lists) {
    count(keys.length);
    for (let at = 0; at < keys.length; at++) {
      const value = values[at];
      // Numbers too: a browser makes a text of them by itself, Node does not.
      const { written } = utf8.encodeInto(String(keys[at]), bytes.subarray(end + 8));
      count(written);
      count(value.length);
      bytes.set(value, end + written);
      end += written + value.length;
    }
  }
  return bytes.subarray(0, end);
}
