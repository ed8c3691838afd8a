// Who steps into the package while debugging sees its source: it is in the maps, since `src` itself is not shipped.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

test.each(["dist", "dist-inline"])("every module of %s has a source map that holds its source", (folder) => {
  const root = join(import.meta.dirname, "..", folder);
  const modules = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".js"),
  );
  expect(modules.length).toBeGreaterThan(20);
  for (const name of modules) {
    const file = join(root, name);
    const address = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(file, "utf8"))?.[1];
    expect(address, name).toBeDefined();
    const map = JSON.parse(readFileSync(join(dirname(file), address ?? ""), "utf8"));
    expect(map.sourcesContent, name).toEqual([expect.stringContaining("export")]);
  }
});
