// `chatwire/testing/jest`, for `setupFilesAfterEnv`: the matchers at Jest's `expect`, and their types; the page online after each test.
import type { ChatMatchers } from "./expectations.js";
import { matchers } from "./matchers.js";
import { type Hook, onlineAfterEach } from "./page.js";

export type { ChatMatchers } from "./expectations.js";

declare global {
  namespace jest {
    // biome-ignore lint/complexity/noBannedTypes: a merged interface has the parameters that @types/jest gives it
    interface Matchers<R, T = {}> extends ChatMatchers<R> {}
  }
}

type Jest = { expect: { extend(all: typeof matchers): void }; beforeEach: Hook; afterEach: Hook };

// Jest gives its own to each test file.
const { expect, beforeEach, afterEach } = globalThis as unknown as Jest;
expect.extend(matchers);
onlineAfterEach(beforeEach, afterEach);
