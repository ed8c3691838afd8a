import { expect, test, vi } from "vitest";
import { Emitter, Subscribers } from "../src/emitter.js";

type Events = { word: [text: string]; pair: [a: number, b: number] };

test("on hears every event with all its arguments, until the function it returned is called", () => {
  const emitter = new Emitter<Events>();
  const heard: number[][] = [];
  const off = emitter.on("pair", (a, b) => heard.push([a, b]));
  emitter.emit("pair", 1, 2);
  emitter.emit("pair", 3, 4);
  off();
  off();
  emitter.emit("pair", 5, 6);
  expect(heard).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test("once hears one event, also when its listener causes the same event", () => {
  const emitter = new Emitter<Events>();
  const heard: string[] = [];
  emitter.once("word", (text) => {
    heard.push(text);
    emitter.emit("word", "again");
  });
  emitter.emit("word", "first");
  expect(heard).toEqual(["first"]);
  expect(emitter.listenerCount("word")).toBe(0);
});

test("off takes off one entry of a listener that was added twice", () => {
  const emitter = new Emitter<Events>();
  const listener = vi.fn();
  emitter.on("word", listener);
  const offSecond = emitter.on("word", listener);
  emitter.off("word", listener);
  emitter.emit("word", "one");
  expect(listener).toHaveBeenCalledTimes(1);
  offSecond();
  expect(emitter.listenerCount("word")).toBe(0);
});

test("removeAllListeners silences one event or all", () => {
  const emitter = new Emitter<Events>();
  emitter.on("word", () => {});
  emitter.on("pair", () => {});
  emitter.removeAllListeners("word");
  expect([emitter.listenerCount("word"), emitter.listenerCount("pair")]).toEqual([0, 1]);
  emitter.removeAllListeners();
  expect(emitter.listenerCount("pair")).toBe(0);
});

test("a listener that throws is reported and stops nobody else", () => {
  const reported = vi.spyOn(console, "error").mockImplementation(() => {});
  const emitter = new Emitter<Events>();
  const heard: string[] = [];
  const error = new Error("of the application");
  emitter.on("word", () => {
    throw error;
  });
  emitter.on("word", (text) => heard.push(text));
  emitter.emit("word", "hello");
  expect(heard).toEqual(["hello"]);
  expect(reported).toHaveBeenCalledExactlyOnceWith(error);
});

test("listeners added or removed by a listener count from the next event on", () => {
  const emitter = new Emitter<Events>();
  const heard: string[] = [];
  const late = (text: string) => heard.push(`late ${text}`);
  emitter.once("word", () => {
    emitter.on("word", late);
    offLast();
  });
  const offLast = emitter.on("word", (text) => heard.push(`last ${text}`));
  emitter.emit("word", "1");
  emitter.emit("word", "2");
  expect(heard).toEqual(["last 1", "late 2"]);
});

test("a subscriber may subscribe twice, and unsubscribe while being told", () => {
  const subscribers = new Subscribers();
  const listener = vi.fn();
  const first = subscribers.add(listener);
  subscribers.add(listener);
  subscribers.add(() => first());
  subscribers.notify();
  subscribers.notify();
  expect(listener).toHaveBeenCalledTimes(3);
});
