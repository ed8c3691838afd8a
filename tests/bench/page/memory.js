// What a page holds in memory: JavaScript's, and that of each wasm, which the browser does not count with it.
const memories = [];

for (const name of ["instantiate", "instantiateStreaming"]) {
  const original = WebAssembly[name];
  WebAssembly[name] = async (...args) => {
    const made = await original(...args);
    const { exports } = made.instance ?? made;
    memories.push(...Object.values(exports).filter((value) => value instanceof WebAssembly.Memory));
    return made;
  };
}

export async function memoryBytes() {
  const { bytes } = await performance.measureUserAgentSpecificMemory();
  return memories.reduce((sum, { buffer }) => sum + buffer.byteLength, bytes);
}
