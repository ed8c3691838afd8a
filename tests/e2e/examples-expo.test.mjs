// What the README says for Expo on the web, done, and the example www/expo: exported and in development. The wasm comes in a
// chunk: Metro gives files no address. Neither is a workspace of the repository: what they need is installed here.
import { after, before, test } from "node:test";
import { startReference } from "@chatwire/test-servers/reference";
import { Project } from "./lib/example.mjs";
import { sendsFromReadme, talkInExample } from "./lib/example-page.mjs";

let backend;
before(async () => {
  backend = await startReference();
});
after(() => backend?.close());

test("Expo: the development server and the export send a message from the README's files", async (t) => {
  const project = await Project.create(t, backend.origin);
  await project.write("session.js", "App.jsx");
  await project.install("expo");

  const developing = await project.serve("npx expo start --web --localhost", { host: "localhost" });
  await sendsFromReadme(developing.url, "chunk", backend);
  await developing.close();

  await project.run("npx expo export --platform web");
  const exported = await project.serve("npx expo serve", { host: "localhost" });
  await sendsFromReadme(exported.url, "chunk", backend);
});

test("www/expo: its types hold, and two people talk in the export", async (t) => {
  const project = await Project.create(t, backend.origin);
  await project.copy("www/expo");
  await project.run("npm install");
  await project.run("npx tsc --noEmit");
  await project.run("npm run build");
  const exported = await project.serve("npx expo serve", { host: "localhost" });
  await talkInExample(exported.url, "chunk");
});
