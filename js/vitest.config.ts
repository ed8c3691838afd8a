import { defineConfig } from "vitest/config";

// The tests run the real wasm against the official Socket.IO server, in Node and, for hooks and pages, in jsdom.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          environment: "node",
          include: ["test/*.test.{ts,tsx}", "test/compat/*.test.ts", "test/testing/*.test.ts"],
          setupFiles: ["test/setup.ts"],
        },
      },
      {
        test: {
          name: "jsdom",
          environment: "jsdom",
          include: ["test/react/*.test.tsx", "test/page/*.test.ts", "test/testing/*.jsdom.test.tsx"],
          setupFiles: ["test/setup.ts", "test/react/setup.ts"],
        },
      },
    ],
  },
});
