// What the README says for Next.js, done, and the example www/next: built and in development, by Turbopack and by webpack.
// Neither is a workspace of the repository: what they need is installed here, in a folder of its own.
import { after, before, test } from "node:test";
import { startReference } from "@chatwire/test-servers/reference";
import { Project } from "./lib/example.mjs";
import { talkInExample, talksFromReadme } from "./lib/example-page.mjs";

let backend;
before(async () => {
  backend = await startReference();
});
after(() => backend?.close());

test("Next.js: both bundlers, built and in development, send a message from the README's files", async (t) => {
  const project = await Project.create(t, backend.origin);
  await project.write("session.js", "Chat.jsx", "app/page.jsx", "app/layout.jsx");
  await project.install("next");

  for (const bundler of ["", " --webpack"]) {
    const developing = await project.serve(`npx next dev${bundler} --hostname 127.0.0.1`);
    await talksFromReadme(developing.url, "file", backend);
    await developing.close();

    await project.run(`npx next build${bundler}`);
    const built = await project.serve("npx next start --hostname 127.0.0.1");
    await talksFromReadme(built.url, "file", backend);
    await built.close();
  }
});

test("www/next: two people talk in the build", async (t) => {
  const project = await Project.create(t, backend.origin);
  await project.copy("www/next");
  await project.run("npm install");
  await project.run("npm run build");
  const built = await project.serve("npx next start --hostname 127.0.0.1");
  await talkInExample(built.url, "file");
});
