// The store as a reader of its guide uses it: its fields and selectors, on a real client and, for what no server does on demand,
// on one that the test plays.
import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { expect, onTestFinished, test } from "vitest";
import type { ChatClient, Conversation, Message } from "../../src/index.js";
import { ChatProvider } from "../../src/react/index.js";
import {
  type ChatStore,
  createChatStore,
  selectConversations,
  selectCurrentConversation,
  selectCurrentMessages,
  selectIsOnline,
  selectIsOptimistic,
  selectMessage,
  selectMessageError,
  selectMessageStatus,
  selectMessages,
  selectTypingUsers,
  selectUnreadCount,
  selectUserPresence,
  useChatStore,
} from "../../src/zustand/index.js";
import { FakeChat } from "../fake.js";
import { pair, serve } from "../support.js";

function within(client: ChatClient) {
  return ({ children }: { children: ReactNode }) => (
    <StrictMode>
      <ChatProvider client={client}>{children}</ChatProvider>
    </StrictMode>
  );
}

function storeOf(client: ChatClient): ChatStore {
  const store = createChatStore(client);
  onTestFinished(() => store.destroy());
  return store;
}

const fields =
  "conversations currentConversationId isOnline isSendingMessage messageError messageIdsInConversation messageStatusesById messagesById optimisticMessageIds typingUsersInConversation userPresenceById";

test("a screen on the store: list, open, send, receive, typing, ticks", async () => {
  const { ana, ben, id } = await pair(await serve());
  function Screen() {
    const conversations = useChatStore(selectConversations);
    const current = useChatStore(selectCurrentConversation);
    const messages = useChatStore(selectCurrentMessages);
    const typing = useChatStore(selectTypingUsers(id));
    const isOnline = useChatStore(selectIsOnline);
    const { setCurrentConversation, sendMessage } = useChatStore();
    return (
      <main>
        <p>{isOnline ? "online" : "offline"}</p>
        {conversations.map((c) => (
          <button key={c.id} type="button" onClick={() => setCurrentConversation(c.id)}>
            open
          </button>
        ))}
        {current && (
          <button type="button" onClick={() => sendMessage("hello")}>
            send
          </button>
        )}
        {messages.map((m) => (
          <p key={m.rowKey}>{`${m.senderId}: ${m.text} ${m.status}`}</p>
        ))}
        {typing.length > 0 && <p>{`${typing.join()} is typing`}</p>}
      </main>
    );
  }
  render(<Screen />, { wrapper: within(ana) });
  onTestFinished(() => createChatStore(ana).destroy());
  screen.getByText("online");
  act(() => screen.getByText("open").click());
  act(() => screen.getByText("send").click());
  await screen.findByText("ana: hello delivered");
  await ben.send(id, "hi");
  await screen.findByText(/^ben: hi/);
  act(() => ben.setTyping(id, true));
  await screen.findByText("ben is typing");
  act(() => ana.disconnect());
  await screen.findByText("offline");
});

test("the guide's fields, from the client alone: a row is the client's own object", async () => {
  const { ana, ben, id } = await pair(await serve());
  const store = storeOf(ana);
  const state = store.getState();
  const names = Object.entries(state).flatMap(([name, value]) => (typeof value === "function" ? [] : [name]));
  expect(names.sort().join(" ")).toBe(fields);
  expect(state.conversations).toBe(ana.conversations().getSnapshot());
  expect(createChatStore(ana)).toBe(store);

  state.setCurrentConversation(id);
  const sent = await store.getState().sendMessage("hello");
  const key = sent?.rowKey ?? "";
  await expect.poll(() => selectMessageStatus(key)(store.getState())).toBe("delivered");
  const timeline = ana.timeline(id);
  await expect.poll(() => timeline.getSnapshot().messages.length).toBe(1);
  const [row] = timeline.getSnapshot().messages;
  expect(selectMessage(key)(store.getState())).toMatchObject({ text: "hello", id: row?.id });
  expect(store.getState().optimisticMessageIds).toEqual([]);
  expect(store.getState().messageIdsInConversation).toEqual({ [id]: [key] });

  await ben.send(id, "hi");
  await expect
    .poll(() => selectMessages(id)(store.getState()).map(({ text }) => text))
    .toEqual(["hello", "hi"]);
  expect(selectUnreadCount(store.getState())).toBe(1);
  await store.getState().markAsRead();
  await expect.poll(() => selectUnreadCount(store.getState())).toBe(0);
  ben.disconnect();
  await expect.poll(() => selectUserPresence("ben")(store.getState())?.online).toBe(false);
});

test("nothing changed, nothing new: the same objects, and nobody is told", () => {
  const fake = new FakeChat("team", "ana");
  const store = storeOf(fake.client);
  store.getState().setCurrentConversation("c1");
  const first = fake.receive({ id: "1", text: "one" });
  fake.receive({ id: "2", text: "two" });
  const selected = selectCurrentMessages(store.getState());
  expect(selected[0]).toBe(first);
  fake.setPresence({ userId: "ben", online: true, lastSeen: null });
  expect(selectCurrentMessages(store.getState())).toBe(selected);
  fake.receive({ id: "3", text: "three" });
  const next = selectCurrentMessages(store.getState());
  expect(next).toHaveLength(3);
  expect(next[0]).toBe(first);
  const before = store.getState();
  fake.receive({ id: "9", conversationId: "not open" });
  expect(store.getState().messagesById).toBe(before.messagesById);
});

test("optimistic until the server has it, sending while there is a connection, failed with its reason (T16)", async () => {
  const fake = new FakeChat("team", "ana");
  Object.assign(fake, { guarantees: { ...fake.guarantees, delivery: "exactly-once" } });
  const store = storeOf(fake.client);
  store.getState().setCurrentConversation("c1");
  await store.getState().sendMessage("one");
  await store.getState().sendMessage("two");
  expect(store.getState()).toMatchObject({ optimisticMessageIds: ["k1", "k2"], isSendingMessage: false });
  await fake.connect();
  expect(store.getState()).toMatchObject({ isSendingMessage: true, isOnline: true });
  fake.move("k1", { status: "sent" });
  expect(selectIsOptimistic("k1")(store.getState())).toBe(true);
  fake.move("k1", { status: "acknowledged", id: "m1" });
  expect(store.getState().optimisticMessageIds).toEqual(["k2"]);
  const failure = {
    code: "forbidden",
    message: "you are not in this conversation",
    retryable: false,
  } as const;
  fake.move("k2", { status: "failed", failure });
  expect(store.getState()).toMatchObject({ optimisticMessageIds: [], isSendingMessage: false });
  expect(selectMessageError(store.getState())).toBe("you are not in this conversation");
  await store.getState().resendMessage("k2");
  expect(store.getState().optimisticMessageIds).toEqual(["k2"]);
  store.getState().clearMessageError();
  expect(store.getState().messageError).toBeNull();
  await store.getState().discardMessage("k2");
  expect(fake.of("discard")).toEqual([["k2"]]);
});

test("what is handed over is no longer optimistic where the backend answers nothing", async () => {
  const fake = new FakeChat("companion");
  const store = storeOf(fake.client);
  store.getState().setCurrentConversation("luna");
  await store.getState().sendMessage("hello");
  expect(store.getState().optimisticMessageIds).toEqual(["k1"]);
  fake.move("k1", { status: "sent" });
  expect(store.getState().optimisticMessageIds).toEqual([]);
});

test("bounded: eight conversations stay open; what is closed is gone from the store, not from the client", () => {
  const fake = new FakeChat();
  const store = storeOf(fake.client);
  for (let n = 1; n <= 9; n++) {
    store.getState().setCurrentConversation(`c${n}`);
    fake.receive({ id: "1", conversationId: `c${n}` });
    store.getState().setCurrentConversation("c1");
  }
  const open = Object.keys(store.getState().messageIdsInConversation);
  expect(open.sort()).toEqual(["c1", "c3", "c4", "c5", "c6", "c7", "c8", "c9"]);
  expect(Object.keys(store.getState().messagesById)).toHaveLength(8);
  expect(fake.of("timeline.close")).toEqual([["c2"]]);
  for (let n = 0; n < 2_010; n++) fake.setPresence({ userId: String(n), online: true, lastSeen: null });
  expect(Object.keys(store.getState().userPresenceById)).toHaveLength(2_000);
  expect(selectUserPresence("2009")(store.getState())?.online).toBe(true);
});

test("ids are only ids, whatever they are called", () => {
  const fake = new FakeChat();
  const store = storeOf(fake.client);
  expect(selectUserPresence("constructor")(store.getState())).toBeNull();
  expect(selectMessages("toString")(store.getState())).toEqual([]);
  for (const userId of ["__proto__", "constructor"]) {
    fake.setPresence({ userId, online: true, lastSeen: null });
    expect(selectUserPresence(userId)(store.getState())).toMatchObject({ online: true });
  }
  store.getState().setCurrentConversation("__proto__");
  fake.receive({ id: "1", conversationId: "__proto__", text: "here" });
  expect(selectCurrentMessages(store.getState()).map(({ text }) => text)).toEqual(["here"]);
});

test("what is refused is messageError, never a rejection", async () => {
  const { ana, id } = await pair(await serve());
  const store = storeOf(ana);
  expect(await store.getState().sendMessage("to whom?")).toBeNull();
  expect(store.getState().messageError).toContain("setCurrentConversation(id)");
  expect(await store.getState().sendMessage("x".repeat(10_001), id)).toBeNull();
  expect(store.getState().messageError).toMatch(/10.?000/);
  await store.getState().sendMessage("hello", id);
  expect(store.getState().messageError).toBeNull();
  store.getState().setCurrentConversation("");
  expect(store.getState()).toMatchObject({
    messageError: expect.stringContaining("non-empty"),
    currentConversationId: null,
  });
});

test("destroy() lets the client go: its windows are closed, its listeners are off", () => {
  const fake = new FakeChat();
  const store = createChatStore(fake.client);
  store.getState().setCurrentConversation("c1");
  fake.receive({ id: "1" });
  store.destroy();
  expect(fake.of("timeline.close")).toEqual([["c1"]]);
  expect(store.getState()).toMatchObject({ messagesById: {}, currentConversationId: null });
  for (const event of ["connection", "presence", "typing", "status"] as const) {
    expect(fake.listenerCount(event)).toBe(0);
  }
  expect(createChatStore(fake.client)).not.toBe(store);
  createChatStore(fake.client).destroy();
});

test("without a provider and on a server the store is empty, and says so when asked", async () => {
  const { result } = renderHook(() => useChatStore());
  expect(result.current).toMatchObject({ conversations: [], isOnline: false, messagesById: {} });
  const { setCurrentConversation, sendMessage, loadEarlier, markAsRead, clearMessageError } = result.current;
  const refused = [
    () => setCurrentConversation("c1"),
    () => sendMessage("hello"),
    () => loadEarlier(),
    () => markAsRead(),
  ];
  for (const call of refused) {
    await act(async () => expect((await call()) ?? null).toBeNull());
    expect(result.current.messageError).toContain("<ChatProvider>");
    act(() => clearMessageError());
    expect(result.current.messageError).toBeNull();
  }
  act(() => setCurrentConversation(null));
  expect(result.current.messageError).toBeNull();
  const fake = new FakeChat();
  fake.setConversations({ id: "c1" });
  await fake.connect();
  function Show() {
    const [online, list] = [useChatStore(selectIsOnline), useChatStore(selectConversations)];
    return <p>{`${online} ${list.length}`}</p>;
  }
  const tree = (
    <ChatProvider client={fake.client}>
      <Show />
    </ChatProvider>
  );
  expect(renderToString(tree)).toBe("<p>false 0</p>");
  onTestFinished(() => createChatStore(fake.client).destroy());
  render(tree);
  await waitFor(() => screen.getByText("true 1"));
});

test("the types are those of the guide's fields", () => {
  const store = storeOf(new FakeChat().client);
  const list: readonly Conversation[] = store.getState().conversations;
  const byId: Readonly<Record<string, Message>> = store.getState().messagesById;
  expect([list, byId]).toEqual([[], {}]);
  // @ts-expect-error: nobody else writes into it.
  expect(store.setState).toBeUndefined();
});
