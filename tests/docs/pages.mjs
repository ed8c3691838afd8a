// The pages that readers are sent to.
import { readdir, readFile } from "node:fs/promises";
import { inRoot } from "../../scripts/lib/run.mjs";

/** Their texts by their names, such as `docs/api.md`. */
export async function readPages() {
  const inFolder = async (folder) => (await readdir(inRoot(folder))).map((name) => `${folder}/${name}`);
  const names = [...(await inFolder("docs")), ...(await inFolder("docs/guides"))];
  names.push("README.md", "CONTRIBUTING.md", "js/README.md", "www/server/README.md");
  const wanted = names.filter((name) => name.endsWith(".md")).sort();
  const read = async (name) => [name, await readFile(inRoot(name), "utf8")];
  return Object.fromEntries(await Promise.all(wanted.map(read)));
}
