// `chatwire/testing/vitest`, for `setupFiles`: the matchers at Vitest's `expect`, and their types; the page online after each test.
import { afterEach, beforeEach, expect } from "vitest";
import type { ChatMatchers } from "./expectations.js";
import { matchers } from "./matchers.js";
import { onlineAfterEach } from "./page.js";

export type { ChatMatchers } from "./expectations.js";

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: as Vitest declares it
  interface Matchers<T = any> extends ChatMatchers<T> {}
}

expect.extend(matchers);
onlineAfterEach(beforeEach, afterEach);
