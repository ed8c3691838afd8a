// `npm run build:wasm` compiles where something has changed, and nowhere else: with programs in cargo's and rustc's place that
// write down how often they were called.
import assert from "node:assert/strict";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { inRoot } from "../../scripts/lib/run.mjs";

const all = ["socket-io", "phoenix", "json", "several"];

const wasmBindgen = `#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" = --out-dir ] && folder=$2; shift; done
cp "$1" "$folder/chatwire_bg.wasm"
echo glue > "$folder/chatwire.js"
echo types > "$folder/chatwire.d.ts"
`;

const cargo = `#!/bin/sh
case "$*" in
metadata*)
  echo "{ \\"target_directory\\": \\"$PWD/target\\" }" ;;
*chatwire-wasm-bindgen*)
  mkdir -p target/debug && cp bin/wasm-bindgen target/debug/ ;;
*)
  for feature; do :; done
  [ "$feature" = "$(cat broken 2> /dev/null)" ] && exit 1
  echo "$feature" >> compiled
  mkdir -p target/wasm32-unknown-unknown/release
  cd target/wasm32-unknown-unknown/release
  { echo "$feature"; cat "$OLDPWD/src/lib.rs"; } > chatwire.wasm
  echo "$PWD/chatwire.wasm: $OLDPWD/src/lib.rs $OLDPWD/src/of\\\\ $feature.rs" > chatwire.d ;;
esac
`;

const rustc = `#!/bin/sh
if [ "$1" = -vV ]; then cat version; else echo "$PWD/sysroot"; fi
`;

/** A clone of little but the scripts. `build()` builds there, and gives what it says and the framings that were compiled. */
async function clone(t) {
  const folder = mkdtempSync(join(tmpdir(), "chatwire-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (path, text) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o755 });
  };
  for (const path of ["scripts/build-wasm.mjs", "scripts/lib"])
    cpSync(inRoot(path), join(folder, path), { recursive: true });
  for (const path of ["Cargo.toml", "Cargo.lock", "tools/wasm-bindgen/Cargo.toml", "src/lib.rs", "version"])
    write(path, `${path}\n`);
  write("src/web/fetch.js", "");
  for (const feature of all) write(`src/of ${feature}.rs`, "");
  write("sysroot/lib/rustlib/wasm32-unknown-unknown/lib/libstd.rlib", "");
  for (const [name, text] of Object.entries({ cargo, rustc, "wasm-bindgen": wasmBindgen }))
    write(`bin/${name}`, text);
  setIn(t, "PATH", [join(folder, "bin"), process.env.PATH].join(delimiter));
  setIn(t, "CARGO_HOME", join(folder, "home"));
  const { buildWasm } = await import(pathToFileURL(join(folder, "scripts/build-wasm.mjs")));
  const build = async (options = { dev: true }) => {
    write("compiled", "");
    const said = await buildWasm(options).catch((error) => error.message);
    return { said, compiled: readFileSync(join(folder, "compiled"), "utf8").split("\n").filter(Boolean) };
  };
  return { folder, write, build };
}

/** A variable of the environment, until the test is over. */
function setIn(t, name, value) {
  const before = process.env[name];
  process.env[name] = value;
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** The build after a change compiles these, and the one after that nothing. */
async function compilesOnce(build, why, these = all) {
  assert.deepEqual([why, await build()], [why, { said: undefined, compiled: these }]);
  assert.deepEqual([why, await build()], [why, { said: "up to date", compiled: [] }]);
}

test("the wasm is compiled once, and again after a change of what it is made of", async (t) => {
  const { folder, write, build } = await clone(t);
  await compilesOnce(build, "nothing is there");
  for (const path of [
    "src/lib.rs",
    "src/web/fetch.js",
    "Cargo.toml",
    "Cargo.lock",
    "tools/wasm-bindgen/Cargo.toml",
    "scripts/build-wasm.mjs",
    "scripts/lib/rust.mjs",
    "scripts/lib/wasm-reader.mjs",
    "version",
  ]) {
    appendFileSync(join(folder, path), "// more\n");
    await compilesOnce(build, path);
  }
  appendFileSync(join(folder, "scripts/lib/chromium.mjs"), "// more\n");
  assert.equal((await build()).said, "up to date", "a script that has no part in it");
  write(".cargo/config.toml", "[build]");
  await compilesOnce(build, "cargo's configuration");
  write("home/config.toml", "[build]");
  await compilesOnce(build, "the user's");
  setIn(t, "RUSTFLAGS", "-Cdebuginfo=1");
  await compilesOnce(build, "flags");
});

test("a source of some framings alone is compiled for these, and what none has read for none", async (t) => {
  const { folder, write, build } = await clone(t);
  await compilesOnce(build, "nothing is there");
  write("src/of json.rs", "more");
  await compilesOnce(build, "json", ["json"]);
  write("src/of phoenix.rs", "more");
  rmSync(join(folder, "src/of several.rs"));
  await compilesOnce(build, "two", ["phoenix", "several"]);
  write("src/proto/target/tests.rs", "");
  await compilesOnce(build, "a source more", []);
  const kept = join(folder, "target/wasm32-unknown-unknown/release");
  writeFileSync(join(kept, "chatwire-json.wasm"), "by hand");
  write("src/of phoenix.rs", "and more");
  await compilesOnce(build, "what was kept is another", ["phoenix", "json"]);
  rmSync(kept, { recursive: true });
  write("src/of phoenix.rs", "and still more");
  await compilesOnce(build, "nothing was kept");
});

test("a file of pkg/ that is missing or is another one is made again, of what is kept", async (t) => {
  const { folder, build } = await clone(t);
  await compilesOnce(build, "nothing is there");
  const made = (path) => readFileSync(join(folder, "pkg", path), "utf8");
  for (const path of ["chatwire.js", "json/chatwire_bg.wasm", "several", ".stamp"]) {
    rmSync(join(folder, "pkg", path), { recursive: true });
    await compilesOnce(build, path, []);
    made("several/chatwire.js");
  }
  writeFileSync(join(folder, "pkg/phoenix/chatwire_bg.wasm"), "by hand");
  await compilesOnce(build, "another file", []);
  assert.equal(made("phoenix/chatwire_bg.wasm"), "phoenix\nsrc/lib.rs\n");
  rmSync(join(folder, "pkg"), { recursive: true });
  await compilesOnce(build, "pkg/", []);
  assert.equal(made("chatwire_bg.wasm"), "socket-io\nsrc/lib.rs\n");
});

test("a build that fails is no build", async (t) => {
  const { folder, write, build } = await clone(t);
  await compilesOnce(build, "nothing is there");
  write("broken", "json");
  appendFileSync(join(folder, "src/lib.rs"), "more");
  for (const these of [["socket-io", "phoenix"], []]) {
    const { said, compiled } = await build();
    assert.match(said, /^cargo .* json\nended with code 1$/);
    assert.deepEqual(compiled, these);
  }
  write("broken", "");
  await compilesOnce(build, "it succeeds", ["json", "several"]);
});

test("without the npm packages it says so before it compiles", async (t) => {
  const { build } = await clone(t);
  const { said, compiled } = await build({});
  assert.match(said, /run `npm ci` first/);
  assert.deepEqual(compiled, []);
});
