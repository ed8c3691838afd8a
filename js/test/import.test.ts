// A server imports the entries to render a page: nothing of a browser is looked at by that, so that nothing has to be there.
// Before anybody watches: it asks by itself whether there is a window with its developer tools.
import "@reduxjs/toolkit";
// It asks `typeof document` when it is first imported, as does React DOM beneath it: no harm on a server, and not ours.
import "@tanstack/react-virtual";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const names = [
  "window",
  "document",
  "navigator",
  "location",
  "localStorage",
  "sessionStorage",
  "indexedDB",
  "WebSocket",
  "BroadcastChannel",
  "WebAssembly",
  "fetch",
];
const kept = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
let touched: string[];

beforeEach(() => {
  vi.resetModules();
  touched = [];
  for (const [name, descriptor] of kept) {
    const get = () => {
      touched.push(name);
      return descriptor?.get ? descriptor.get.call(globalThis) : descriptor?.value;
    };
    Object.defineProperty(globalThis, name, { configurable: true, get });
  }
});

afterEach(() => {
  for (const [name, descriptor] of kept) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor);
    else Reflect.deleteProperty(globalThis, name);
  }
});

test.each(["index", "react/index", "components/index", "compat/index", "zustand/index", "redux/index"])(
  "importing %s touches no object of a browser",
  async (entry) => {
    for (const folder of ["../src", "../dist", "../dist-inline"]) {
      const module: object = await import(`${folder}/${entry}.js`);
      expect(Object.keys(module).length).toBeGreaterThan(0);
    }
    expect(touched).toEqual([]);
  },
);

test("what is touched would be seen", () => {
  expect(typeof document).toBe("undefined");
  expect(touched).toEqual(["document"]);
});
