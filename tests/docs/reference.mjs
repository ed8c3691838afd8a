// `npm run reference`: pages of everything that the package exports, from its types and their comments, in target/reference. They
// stand beside docs/api.md, which is written by hand, and are never committed. TypeDoc reads with a TypeScript of its own: the
// repository's, 7, has no API that it could call.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Application } from "typedoc";
import { inRoot, isMain, runMain, Told } from "../../scripts/lib/run.mjs";

const options = {
  name: "chatwire",
  basePath: inRoot("js"),
  displayBasePath: inRoot("js"),
  tsconfig: inRoot("js", "tsconfig.build.json"),
  readme: inRoot("js", "README.md"),
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  sort: ["kind", "alphabetical"],
  // Where a source lies a clone does not say: it may have no remote, or one that is a folder.
  disableSources: true,
  validation: { notExported: true, invalidLink: true },
  treatWarningsAsErrors: true,
  logLevel: "Warn",
};

/** The names under which the package's entries are imported, by their sources. */
async function entries() {
  const { exports } = JSON.parse(await readFile(inRoot("js", "package.json"), "utf8"));
  const built = Object.entries(exports).flatMap(([path, { types }]) => {
    const [, source] = /^\.\/dist\/(.+)\.d\.ts$/.exec(types ?? "") ?? [];
    return source ? [[`src/${source}.ts`, join("chatwire", path)]] : [];
  });
  return new Map(built);
}

/** Writes the pages into `folder`; refuses where a comment links to nothing, or a type is named and not told. */
export async function writeReference(folder) {
  const named = await entries();
  const entryPoints = [...named.keys()].map((name) => inRoot("js", name));
  const application = await Application.bootstrap({ ...options, entryPoints });
  const project = await application.convert();
  if (!project) throw new Told("The sources of the package cannot be read");
  const nameOf = new Map([...named].map(([source, name]) => [source.replace(/(\/index)?\.ts$/, ""), name]));
  for (const entry of project.children) entry.name = nameOf.get(entry.name);
  application.validate(project);
  if (application.logger.hasErrors() || application.logger.hasWarnings())
    throw new Told("The reference would have holes: see above");
  await rm(folder, { recursive: true, force: true });
  await application.generateDocs(project, folder);
  return project.children.map(({ name }) => name);
}

if (isMain(import.meta.url)) {
  await runMain(async () => {
    const folder = inRoot("target", "reference");
    const names = await writeReference(folder);
    console.log(`${join(folder, "index.html")}: ${names.join(", ")}`);
  });
}
