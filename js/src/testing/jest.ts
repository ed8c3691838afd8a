// `chatwire/testing/jest`, for `setupFilesAfterEnv`: the matchers at Jest's `expect`, and their types.
import type { ChatMatchers } from "./expectations.js";
import { matchers } from "./matchers.js";

export type { ChatMatchers } from "./expectations.js";

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: a merged interface has the parameters that @types/jest gives it
    interface Matchers<R, T = {}> extends ChatMatchers<R> {}
  }
}

// Jest gives its own to each test file.
(globalThis as unknown as { expect: { extend(all: typeof matchers): void } }).expect.extend(matchers);
