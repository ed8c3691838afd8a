// A start of the product as an application has it: the wasm, the list of conversations, the newest messages of the newest
// one; then earlier ones, the middle, and what it takes of memory.
import { createChat } from "/chatwire/dist/index.js";
import { loadCore } from "/chatwire/dist/init.js";
import initialise from "/chatwire/pkg/chatwire.js";
import { options } from "./options.js";

const shown = 50;
const earlierPages = 10;

export async function run({ conversations, middle }) {
  const began = performance.now();
  // Asked for first, so that it is told first: the same wasm serves both.
  const loading = loadCore("socket.io").then(() => performance.now());
  const chat = await createChat(options);
  const loaded = await loading;
  const list = chat.conversations().getSnapshot();
  const listed = performance.now();
  if (list.length !== conversations) throw new Error(`${list.length} conversations`);
  const newest = list.reduce((a, b) => (a.lastMessage.createdAt > b.lastMessage.createdAt ? a : b));
  const timeline = chat.timeline(newest.id);
  await until(timeline, ({ loading, messages }) => !loading && messages.length >= shown);
  const ended = performance.now();

  const { memory } = await exported();
  const wasmBytes = memory.buffer.byteLength;
  const pageBytes = await pageMemory();
  const earlierMs = await loadEarlier(timeline);
  const jumpMs = await jump(timeline, middle);
  const rows = timeline.getSnapshot().messages.length;
  await chat.close();
  return {
    wasmMs: loaded - began,
    listMs: listed - loaded,
    startMs: ended - loaded,
    allMs: ended - began,
    earlierMs,
    jumpMs,
    rows,
    wasmBytes,
    wasmBytesAtEnd: memory.buffer.byteLength,
    pageBytes,
  };
}

function until(source, isWanted) {
  return new Promise((resolve) => {
    const look = () => {
      if (!isWanted(source.getSnapshot())) return;
      stop();
      resolve();
    };
    const stop = source.subscribe(look);
    look();
  });
}

/** What the wasm exports; the names of its exports are shortened, so that its memory is known by what it is. */
async function exported() {
  const memory = Object.values(await initialise()).find((value) => value instanceof WebAssembly.Memory);
  return { memory };
}

async function pageMemory() {
  const { bytes } = await performance.measureUserAgentSpecificMemory();
  return bytes;
}

/** 50 at a time; the time of one, the median of those. */
async function loadEarlier(timeline) {
  const times = [];
  for (let i = 0; i < earlierPages && timeline.getSnapshot().hasEarlier; i++) {
    const began = performance.now();
    await timeline.loadEarlier(shown);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? null;
}

async function jump(timeline, rowKey) {
  if (timeline.jumpTo === undefined) return null;
  const began = performance.now();
  await timeline.jumpTo(rowKey);
  await until(timeline, ({ messages }) => messages.some((message) => message.rowKey === rowKey));
  return performance.now() - began;
}
