import { test } from "vitest";
import { createTestBackend } from "../../src/testing/index.js";
test("dbg", async () => {
  const backend = await createTestBackend();
  const step = async (name: string, p: any) => { const r = await Promise.race([p, new Promise((ok) => setTimeout(() => ok("HANGS"), 1500))]); console.log("STEP", name, r === "HANGS" ? r : "ok"); return r; };
  backend.link.offline();
  console.log("on", navigator.onLine, window === globalThis, self === globalThis);
  window.addEventListener("online", () => console.log("heard online"));
  const second: any = await step("client", backend.client("ana"));
  backend.link.online();
  console.log("on", navigator.onLine);
  await step("connect2", second.connect());
  console.log(second.connection.state, second.phase);
}, 20000);
