import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

// jsdom brings a second Uint8Array, from another realm than that of Node's fetch. A browser has one.
Object.assign(globalThis, { Uint8Array: Object.getPrototypeOf(Buffer) });

afterEach(cleanup);
