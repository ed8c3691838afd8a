import { defineConfig } from "vitest/config";

const of = (environment) => ({
  test: {
    name: environment,
    environment,
    globals: true,
    include: ["*.test.js"],
    setupFiles: ["chatwire/testing/vitest"],
  },
});
export default defineConfig({ test: { projects: [of("node"), of("jsdom")] } });
