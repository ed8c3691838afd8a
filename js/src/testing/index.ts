// `chatwire/testing`: a backend in memory for the tests of an application, in Node, jsdom or a browser.
export {
  createTestBackend,
  type Refusal,
  type RefusalCode,
  type TestBackend,
  type TestBackendOptions,
} from "./backend.js";
export type { ChatMatchers, Expected } from "./expectations.js";
export type { Direction, FrameFilter, Link, LinkFrame, Whose } from "./link.js";
export {
  type AcknowledgedOptions,
  type MatcherResult,
  type MatcherState,
  matchers,
  type Shown,
} from "./matchers.js";
export type { ReceivedMessage } from "./messages.js";
export type { Said, TestUser } from "./user.js";
