// The demo from the packed package: what its workspace has by a link has to be in the tarball.
import { after, before, test } from "node:test";
import { startReference } from "@chatwire/test-servers/reference";
import { launch } from "./lib/browser.mjs";
import { Visitor } from "./lib/demo.mjs";
import { Project } from "./lib/example.mjs";

let backend;
let browser;
before(async () => {
  backend = await startReference();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await backend?.close();
});

test("www/app: built from the tarball it sends a message", async (t) => {
  const project = await Project.create(t, backend.origin);
  await project.copy("www/app");
  await project.run("npm install");
  await project.run("npm run build");
  const built = await project.serve("npx vite preview --host 127.0.0.1 --strictPort");
  // The demo finds people who have been there.
  await backend.login("ben");
  const ana = await Visitor.arrive(browser, built.url, "ana");
  await ana.startChat("ben");
  await ana.send("from the tarball");
  await ana.sees("from the tarball", "acknowledged");
  ana.assertNoProblems();
});
