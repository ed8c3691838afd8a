// The run of `npm run figures`.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../scripts/lib/run.mjs";
import { Profile } from "./lone.mjs";
import { serveFigures } from "./serve.mjs";

const mib = 1024 * 1024;

export async function figuresRun({ sizes, conversations, rounds, say }) {
  const folder = await mkdtemp(join(tmpdir(), "chatwire-records-"));
  const records = new Map(sizes.map((size) => [size, join(folder, String(size))]));
  const stores = [];
  let server;
  try {
    for (const size of sizes) await makeRecords(size, conversations, records.get(size));
    server = await serveFigures(records);
    for (const size of sizes) stores.push(await filled(server, size, records.get(size)));
    for (const store of stores) describe(store, say);
    await measureAll(server, stores, rounds, say);
    print(stores, { conversations, rounds, say });
  } finally {
    await server?.close();
    for (const { profile } of stores) await profile.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** By the product's own core, natively: see tests/figures/records.rs. */
async function makeRecords(size, conversations, out) {
  await mkdir(out, { recursive: true });
  const args = ["--messages", size, "--conversations", conversations, "--out", out].map(String);
  const cargo = ["run", "--quiet", "--profile", "sim", "-p", "chatwire", "--example", "records", "--"];
  await run("cargo", [...cargo, ...args]);
}

async function filled(server, size, folder) {
  const index = JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
  const profile = await Profile.create();
  const store = { size, index, profile, samples: { product: [], bare: [] } };
  store.name = (await visit(server, store, "fill", { size })).name;
  return store;
}

function visit(server, { profile }, mode, order) {
  const hash = encodeURIComponent(JSON.stringify({ mode, ...order }));
  return profile.visit(`${server.url}/figures/index.html#${hash}`, server.next());
}

async function measureAll(server, stores, rounds, say) {
  const orders = {
    product: ({ index }) => ({ conversations: index.conversations, middle: index.middle }),
    bare: ({ index, name }) => ({ name, reads: index.reads }),
  };
  // The first round finds stores that have just been filled: it is not counted.
  for (let round = 0; round <= rounds; round++) {
    say(round === 0 ? "a round that is not counted" : `round ${round} of ${rounds}`);
    for (const store of round % 2 === 0 ? stores : stores.toReversed()) {
      // In turn, so that what else the machine does falls on both.
      const modes = Object.keys(orders);
      for (const mode of round % 2 === 0 ? modes : modes.toReversed()) {
        const sample = await visit(server, store, mode, orders[mode](store));
        if (round > 0) store.samples[mode].push(sample);
      }
    }
  }
}

function describe({ size, index }, say) {
  const kinds = Object.entries(index.kinds).map(
    ([kind, [count, bytes]]) => `${kind} ${count} records, ${(bytes / mib).toFixed(2)} MiB`,
  );
  say(`${size} messages: ${kinds.join("; ")}`);
}

const rows = [
  ["bare read of the same records, ms", "bare", (sample) => sample.allMs],
  ["cold start: list and last 50, ms", "product", (sample) => sample.startMs],
  ["the same with the wasm, from createChat() on, ms", "product", (sample) => sample.allMs],
  ["of it the list, ms", "product", (sample) => sample.listMs],
  ["wasm: fetch, compile, instantiate, ms", "product", (sample) => sample.wasmMs],
  ["50 earlier ones, ms", "product", (sample) => sample.earlierMs],
  ["jump into the middle, ms", "product", (sample) => sample.jumpMs],
  ["wasm memory at the start, MiB", "product", (sample) => sample.wasmBytes / mib],
  ["wasm memory after all, MiB", "product", (sample) => sample.wasmBytesAtEnd / mib],
  ["memory of the page's JavaScript, MiB", "product", (sample) => sample.pageBytes / mib],
  ["bytes on disk, MiB", "bare", (sample) => sample.usage / mib],
];

function print(stores, { conversations, rounds, say }) {
  say(
    `\n${conversations} conversations; median of ${rounds} rounds (least to most), each in a fresh browser\n`,
  );
  say(`| | ${stores.map(({ size }) => `${size.toLocaleString("en")} messages`).join(" | ")} |`);
  say(`|---|${stores.map(() => "---|").join("")}`);
  for (const [name, mode, of] of rows) {
    const cells = stores.map(({ samples }) => spread(samples[mode].map(of)));
    if (cells.some((cell) => cell !== undefined)) say(`| ${name} | ${cells.join(" | ")} |`);
  }
  const ratios = stores.map(({ samples }) => {
    const [start, bare] = [samples.product.map((s) => s.startMs), samples.bare.map((s) => s.allMs)].map(
      median,
    );
    return (start / bare).toFixed(2);
  });
  say(`| cold start to bare read | ${ratios.join(" | ")} |`);
}

function spread(values) {
  const there = values.filter((value) => value !== null);
  if (there.length === 0) return undefined;
  const [low, middle, high] = [Math.min(...there), median(there), Math.max(...there)];
  return `${middle.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
