// `npm run api`: what each entry exports, as its types say it, is what stands in js/api/*.api.md; `-- --write` writes it there.
// A change of the public surface is thereby seen in review, and what is exported without a comment is refused. API Extractor
// brings the TypeScript that it reads with: the repository's own, 7, has no API that it could call.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";

const js = join(dirname(fileURLToPath(import.meta.url)), "..");
const write = process.argv.includes("--write");
const entries = {
  chatwire: "",
  react: "react",
  components: "components",
  compat: "compat",
  zustand: "zustand",
  redux: "redux",
  testing: "testing",
};

const compilerOptions = {
  target: "es2022",
  lib: ["es2023", "dom", "dom.iterable"],
  module: "nodenext",
  jsx: "react-jsx",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: [],
};

function configOf(name, mainEntryPointFilePath, reportTempFolder) {
  const apiReport = {
    enabled: true,
    reportFileName: `${name}.api.md`,
    reportFolder: join(js, "api"),
    reportTempFolder,
  };
  const quiet = { default: { logLevel: "none" } };
  // What is exported has a comment that says what it is.
  const told = { ...quiet, "ae-undocumented": { logLevel: "error" } };
  const off = { enabled: false };
  return ExtractorConfig.prepare({
    configObject: {
      mainEntryPointFilePath,
      projectFolder: js,
      compiler: { overrideTsconfig: { compilerOptions, files: [mainEntryPointFilePath] } },
      newlineKind: "lf",
      apiReport,
      docModel: off,
      dtsRollup: off,
      tsdocMetadata: off,
      messages: { extractorMessageReporting: told, tsdocMessageReporting: quiet },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(js, "package.json"),
  });
}

const temporary = await mkdtemp(join(tmpdir(), "chatwire-api-"));
try {
  for (const [name, folder] of Object.entries(entries)) {
    const config = configOf(name, join(js, "dist", folder, "index.d.ts"), temporary);
    const { apiReportChanged, errorCount } = Extractor.invoke(config, {
      localBuild: write,
      showVerboseMessages: false,
      printApiReportDiff: true,
    });
    if (errorCount > 0 || (apiReportChanged && !write)) process.exitCode = 1;
    const state = apiReportChanged
      ? write
        ? "written"
        : "has changed: npm run api -- --write"
      : "as written";
    console.log(`js/api/${name}.api.md: ${state}`);
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}
