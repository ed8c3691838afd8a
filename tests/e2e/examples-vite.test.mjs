// What the README says for Vite, done: an empty folder, the packed package, no configuration.
import { after, before, test } from "node:test";
import { startReference } from "@chatwire/test-servers/reference";
import { Project } from "./lib/example.mjs";
import { talksFromReadme } from "./lib/example-page.mjs";

let backend;
before(async () => {
  backend = await startReference();
});
after(() => backend?.close());

test("Vite: the development server and the build send a message from the README's files", async (t) => {
  const project = await Project.create(t, backend.origin);
  await project.write("session.js", "Chat.jsx", "index.html");
  await project.install("vite");

  const developing = await project.serve("npx vite --host 127.0.0.1 --strictPort");
  await talksFromReadme(developing.url, "file", backend);
  await developing.close();

  await project.run("npx vite build");
  const built = await project.serve("npx vite preview --host 127.0.0.1 --strictPort");
  await talksFromReadme(built.url, "file", backend);
});
