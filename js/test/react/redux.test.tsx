// A Redux store that shows the client: the real Redux Toolkit, react-redux and a real client.
import { configureStore } from "@reduxjs/toolkit";
import { act, render, screen, waitFor } from "@testing-library/react";
import { memo } from "react";
import { Provider, useSelector } from "react-redux";
import { expect, onTestFinished, test, vi } from "vitest";
import type { ChatClient } from "../../src/index.js";
import {
  chatSlice,
  connectRedux,
  type RootState,
  selectConversations,
  selectCurrentMessages,
  selectIsOnline,
  selectMessage,
  selectMessageError,
  selectMessageStatus,
  selectMessages,
  selectTypingUsers,
  selectUnreadCount,
  selectUserPresence,
} from "../../src/redux/index.js";
import { FakeChat } from "../fake.js";
import { pair, serveInMemory } from "../support.js";

const { setCurrentConversation, clearMessageError } = chatSlice.actions;

/** A store as applications make it, with the checks that Redux Toolkit has in development. */
function connected(client: ChatClient) {
  const store = configureStore({ reducer: { chat: chatSlice.reducer } });
  const disconnect = connectRedux(client, store);
  onTestFinished(disconnect);
  return { store, disconnect };
}

test("a conversation that is opened by an action is shown, and what Redux checks finds nothing wrong", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  const complaints = vi.spyOn(console, "error");
  onTestFinished(() => complaints.mockRestore());
  const { store } = connected(ana);
  const state = () => store.getState();
  expect(selectIsOnline(state())).toBe(true);
  expect(selectConversations(state())).toBe(ana.conversations().getSnapshot());

  store.dispatch(setCurrentConversation(id));
  const { key } = await ana.send(id, "hello");
  await expect.poll(() => selectMessageStatus(state(), key ?? "")).toBe("delivered");
  await ben.send(id, "hi");
  await expect.poll(() => selectMessages(state(), id).map(({ text }) => text)).toEqual(["hello", "hi"]);
  expect(selectUnreadCount(state())).toBe(1);
  ben.setTyping(id, true);
  await expect.poll(() => selectTypingUsers(state(), id)).toEqual(["ben"]);
  ben.disconnect();
  await expect.poll(() => selectUserPresence(state(), "ben")?.online).toBe(false);
  expect(JSON.parse(JSON.stringify(state()))).toEqual(state());
  expect(complaints).not.toHaveBeenCalled();
});

test("one row changes: one row is drawn", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  const { store } = connected(ana);
  store.dispatch(setCurrentConversation(id));
  for (const text of ["first", "second", "third"]) await ben.send(id, text);
  const drawn: Record<string, number> = {};
  const Row = memo(function Row({ rowKey }: { rowKey: string }) {
    const message = useSelector((state: RootState) => selectMessage(state, rowKey));
    const text = message?.text ?? "";
    drawn[text] = (drawn[text] ?? 0) + 1;
    return <li>{`${text} ${message?.reactions.length}`}</li>;
  });
  function List() {
    return useSelector(selectCurrentMessages).map(({ rowKey }) => <Row key={rowKey} rowKey={rowKey} />);
  }
  render(
    <Provider store={store}>
      <List />
    </Provider>,
  );
  await screen.findByText("third 0");
  const before = { ...drawn };
  const second = selectCurrentMessages(store.getState())[1]?.rowKey ?? "";
  await act(async () => void (await ana.react(second, "👍")));
  await screen.findByText("second 1");
  await waitFor(() => expect(drawn.second).toBeGreaterThan(before.second ?? 0));
  expect({ first: drawn.first, third: drawn.third }).toEqual({ first: before.first, third: before.third });
});

test("what is told in one task is one action, and rows keep their identity", async () => {
  const fake = new FakeChat("team", "ana");
  const { store } = connected(fake.client);
  store.dispatch(setCurrentConversation("c1"));
  await Promise.resolve();
  const told = vi.fn();
  store.subscribe(told);
  const first = fake.receive({ id: "1", text: "one" });
  fake.receive({ id: "2", text: "two" });
  fake.setPresence({ userId: "ben", online: true, lastSeen: null });
  await Promise.resolve();
  expect(told).toHaveBeenCalledTimes(1);
  const messages = selectCurrentMessages(store.getState());
  expect(messages.map(({ text }) => text)).toEqual(["one", "two"]);
  expect(messages[0]).toBe(first);
  fake.setPresence({ userId: "ben", online: false, lastSeen: null });
  await Promise.resolve();
  expect(selectCurrentMessages(store.getState())).toBe(messages);
});

test("a failure is messageError until it is cleared", async () => {
  const fake = new FakeChat("team", "ana");
  const { store } = connected(fake.client);
  const { key } = await fake.send("c1", "hello");
  fake.move(key, { status: "failed", failure: { code: "forbidden", message: "not here", retryable: false } });
  await Promise.resolve();
  expect(selectMessageError(store.getState())).toBe("not here");
  store.dispatch(clearMessageError());
  expect(selectMessageError(store.getState())).toBeNull();
});

test("disconnected, the client is let go and the slice is empty; it may be connected again", async () => {
  const fake = new FakeChat("team", "ana");
  const { store, disconnect } = connected(fake.client);
  store.dispatch(setCurrentConversation("c1"));
  fake.receive({ id: "1" });
  disconnect();
  expect(fake.of("timeline.close")).toEqual([["c1"]]);
  for (const event of ["connection", "presence", "typing", "status"] as const) {
    expect(fake.listenerCount(event)).toBe(0);
  }
  expect(store.getState().chat).toEqual(chatSlice.getInitialState());
  store.dispatch(setCurrentConversation("c1"));
  const again = connectRedux(fake.client, store);
  await Promise.resolve();
  expect(selectCurrentMessages(store.getState())).toHaveLength(1);
  again();
});
