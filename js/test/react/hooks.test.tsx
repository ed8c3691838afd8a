import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode } from "react";
import { expect, onTestFinished, test } from "vitest";
import type { ChatClient, ChatOptions, Message } from "../../src/index.js";
import {
  type Chat,
  ChatProvider,
  useChat,
  useChatClient,
  useConnection,
  useConversations,
  usePresence,
  useTyping,
  useWebSocket,
} from "../../src/react/index.js";
import { chatOf, optionsFor, pair, serveInMemory, until } from "../support.js";

function within(client: ChatClient) {
  return ({ children }: { children: ReactNode }) => <ChatProvider client={client}>{children}</ChatProvider>;
}

/** A provider that makes its own client, as StrictMode runs it. */
function making(options: ChatOptions) {
  return ({ children }: { children: ReactNode }) => (
    <StrictMode>
      <ChatProvider options={options}>{children}</ChatProvider>
    </StrictMode>
  );
}

test("useChat shows a conversation and sends into it", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  const { result } = renderHook(() => useChat(id), { wrapper: within(ana) });
  await waitFor(() => expect(result.current.loading).toBe(false));
  expect(result.current).toMatchObject({ messages: [], isConnected: true, status: "online", error: null });

  let sent: Message | null = null;
  await act(async () => {
    sent = await result.current.sendMessage({ text: "hello", type: "text" });
  });
  expect(sent).toMatchObject({ text: "hello", sender: "me" });
  await ben.send(id, "hi");
  await waitFor(() => expect(result.current.messages.map(({ text }) => text)).toEqual(["hello", "hi"]));
  await waitFor(() => expect(result.current.messages[0]?.status).toBe("delivered"));
});

test("useChat gives everything that is promised, with functions that stay the same", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  const { result } = renderHook(() => useChat(id), { wrapper: within(ana) });
  const first = result.current;
  const fields =
    "clearError context discard edit error errorDetail fillGaps gaps hasEarlier hasLater isConnected isTyping jumpTo loadEarlier loadLater loading markRead messages phase react remove resend sendMessage setTyping status toNewest typingUsers unreact";
  expect(Object.keys(first).sort().join(" ")).toBe(fields);
  await ben.send(id, "hi");
  await waitFor(() => expect(result.current.messages).toHaveLength(1));
  for (const [name, value] of Object.entries(first)) {
    if (typeof value === "function") expect(result.current[name as keyof Chat], name).toBe(value);
  }
});

test("nothing changed, nothing new: the same object after another render", async () => {
  const { ana, id } = await pair(await serveInMemory());
  const { result, rerender } = renderHook(
    () => [useChat(id), useChat(id), useConnection(), useConversations()] as const,
    { wrapper: within(ana) },
  );
  await waitFor(() => expect(result.current[0].loading).toBe(false));
  const before = [...result.current];
  rerender();
  expect(result.current.every((value, index) => value === before[index])).toBe(true);
  expect(before[0]).toBe(before[1]);
});

test("an id that is not there yet is the empty state, not an exception of the render", async () => {
  const { ana, id } = await pair(await serveInMemory());
  for (const none of [undefined, null, ""]) {
    const { result, rerender } = renderHook(
      ({ at }: { at: string | null | undefined }) => [useChat(at), useTyping(at), usePresence(at)] as const,
      { wrapper: within(ana), initialProps: { at: none as string | null | undefined } },
    );
    const [chat, typing, presence] = result.current;
    expect(chat).toMatchObject({ messages: [], loading: false, error: null });
    expect(typing).toMatchObject({ typingUsers: [], isTyping: false });
    expect(presence).toEqual({ isOnline: false, lastSeen: null });
    act(() => typing.setTyping(true));
    rerender({ at: id });
    await waitFor(() => expect(result.current[0].phase).toBe("live"));
  }
});

test("whoever types into a client that is closed is not stopped by it", async () => {
  const { ana, id } = await pair(await serveInMemory());
  const { result } = renderHook(() => [useChat(id), useTyping(id), useWebSocket()] as const, {
    wrapper: within(ana),
  });
  await act(() => ana.close());
  const [chat, typing, socket] = result.current;
  act(() => {
    chat.setTyping(true);
    typing.setTyping(true);
    socket.setTyping(id, true);
  });
  expect(result.current[0].errorDetail).toMatchObject({ code: "closed" });
});

test("an error is of its time: whoever comes back to a conversation does not meet it again", async () => {
  const { ana, id } = await pair(await serveInMemory());
  const { result, rerender } = renderHook(({ at }: { at: string | undefined }) => useChat(at), {
    wrapper: within(ana),
    initialProps: { at: id as string | undefined },
  });
  await waitFor(() => expect(result.current.loading).toBe(false));
  await act(async () => void (await result.current.sendMessage("x".repeat(100_000))));
  expect(result.current.errorDetail).toMatchObject({ code: "tooLarge" });
  rerender({ at: undefined });
  await act(async () => {});
  rerender({ at: id });
  await waitFor(() => expect(result.current.loading).toBe(false));
  expect(result.current.error).toBeNull();
});

test("what is refused is an error to be shown, not a rejection; clearError takes it away", async () => {
  const { ana, id } = await pair(await serveInMemory());
  const { result } = renderHook(() => useChat(id), { wrapper: within(ana) });
  let sent: unknown;
  await act(async () => {
    sent = await result.current.sendMessage("x".repeat(10_001));
  });
  expect(sent).toBeNull();
  expect(result.current.errorDetail).toMatchObject({ name: "ChatError", code: "tooLarge" });
  expect(result.current.error).toBe(result.current.errorDetail?.message);
  act(() => result.current.clearError());
  expect([result.current.error, result.current.errorDetail]).toEqual([null, null]);
});

test("typing, reading, failing and sending again through the hook", async () => {
  const server = await serveInMemory();
  const { ana, ben, id } = await pair(server);
  const { result } = renderHook(() => ({ ana: useChat(id) }), { wrapper: within(ana) });
  const { result: other } = renderHook(() => useChat(id), { wrapper: within(ben) });

  act(() => result.current.ana.setTyping(true));
  await waitFor(() => expect(other.current).toMatchObject({ isTyping: true, typingUsers: ["ana"] }));
  await act(async () => void (await result.current.ana.sendMessage("one")));
  await waitFor(() => expect(other.current).toMatchObject({ isTyping: false, typingUsers: [] }));
  await waitFor(() => expect(other.current.messages).toHaveLength(1));
  await act(() => other.current.markRead());
  await waitFor(() => expect(result.current.ana.messages[0]?.status).toBe("read"));

  server.refuse("send", { code: "ForbiddenError", times: 2 });
  for (const text of ["two", "three"]) {
    await act(async () => void (await result.current.ana.sendMessage(text)));
  }
  const failed = () => result.current.ana.messages.filter(({ status }) => status === "failed");
  await waitFor(() => expect(failed()).toHaveLength(2));
  const [two, three] = failed();
  await act(() => result.current.ana.discard(three?.key ?? ""));
  await act(() => result.current.ana.resend(two?.key ?? ""));
  await waitFor(() => expect(other.current.messages.map(({ text }) => text)).toEqual(["one", "two"]));
  await waitFor(() => expect(result.current.ana.messages).toHaveLength(2));
});

test("loadEarlier widens the window", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  const texts = Array.from({ length: 60 }, (_, index) => `message ${index}`);
  for (const text of texts) await ana.send(id, text);
  await until(ben.conversation(id), (conversation) => conversation?.lastMessage?.text === "message 59");
  const { result } = renderHook(() => useChat(id), { wrapper: within(ben) });
  await waitFor(() => expect(result.current.hasEarlier).toBe(true));
  await act(() => result.current.loadEarlier());
  await waitFor(() => expect(result.current.messages.map(({ text }) => text)).toEqual(texts));
});

test("a row that did not change is the same object for the component that draws it", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  await ben.send(id, "first");
  const rows: Message[][] = [];
  function List() {
    rows.push([...useChat(id).messages]);
    return null;
  }
  const Wrapper = within(ana);
  render(<List />, { wrapper: Wrapper });
  await waitFor(() => expect(rows.at(-1)).toHaveLength(1));
  const [first] = rows.at(-1) ?? [];
  await ben.send(id, "second");
  await waitFor(() => expect(rows.at(-1)).toHaveLength(2));
  expect(rows.at(-1)?.[0]).toBe(first);
});

test("another conversation id shows another conversation; without one there is none", async () => {
  const server = await serveInMemory();
  const { ana, ben, id } = await pair(server);
  const group = await ana.createGroup({ title: "Plans", members: ["ben"] });
  await ben.send(id, "direct");
  const initialProps: { open: string | undefined } = { open: id };
  const { result, rerender } = renderHook(({ open }) => useChat(open), {
    wrapper: within(ana),
    initialProps,
  });
  await waitFor(() => expect(result.current.messages.map(({ text }) => text)).toEqual(["direct"]));
  rerender({ open: group.id });
  await waitFor(() => expect(result.current.loading).toBe(false));
  expect(result.current.messages).toEqual([]);
  rerender({ open: undefined });
  expect(result.current).toMatchObject({ messages: [], loading: false, isConnected: true });
  let sent: unknown;
  await act(async () => {
    sent = await result.current.sendMessage("to whom?");
  });
  expect(sent).toBeNull();
  expect(result.current.errorDetail).toMatchObject({ code: "validation" });
});

test("useConversations: the list, its unread count, and making new ones", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  const { result } = renderHook(() => useConversations(), { wrapper: within(ben) });
  expect(result.current.conversations.map((conversation) => conversation.id)).toEqual([id]);
  await ana.send(id, "one");
  await ana.send(id, "two");
  await waitFor(() => expect(result.current.unread).toBe(2));
  await act(async () => void (await result.current.createGroup({ title: "Plans", members: ["ana"] })));
  await waitFor(() => expect(result.current.conversations).toHaveLength(2));
});

test("useConnection follows the connection, disconnects and connects", async () => {
  const { ana } = await pair(await serveInMemory());
  const { result } = renderHook(() => useConnection(), { wrapper: within(ana) });
  expect(result.current).toMatchObject({ state: "online", isConnected: true, leader: true });
  act(() => result.current.disconnect());
  await waitFor(() => expect(result.current.state).toBe("closed"));
  await act(() => result.current.connect());
  expect(result.current.isConnected).toBe(true);
});

test("a provider with options makes one client with one connection, also under StrictMode", async () => {
  const server = await serveInMemory();
  let tokens = 0;
  const getToken = () => {
    tokens += 1;
    return "user:ana";
  };
  const options = { ...optionsFor(server, "ana"), getToken };
  const clients = new Set<ChatClient>();
  const { result, unmount } = renderHook(
    () => {
      const client = useChatClient();
      if (client) clients.add(client);
      return useConnection();
    },
    { wrapper: making(options) },
  );
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  expect(clients.size).toBe(1);
  expect(tokens).toBe(1);
  expect(server.link.cut({ userId: "ana" })).toBe(1);

  const [client] = clients;
  unmount();
  await waitFor(() => expect(client?.connection.state).toBe("closed"));
  expect(server.link.cut({ userId: "ana" })).toBe(0);
});

test("options that cannot be written as JSON are an error of the hooks, not of the render", async () => {
  const options = { ...optionsFor({ url: "http://127.0.0.1:9" }, "ana"), outbox: { window: 1n as never } };
  const { result } = renderHook(() => useChat("c"), { wrapper: making(options) });
  await waitFor(() => expect(result.current.errorDetail?.code).toBe("config"));
  expect(result.current.error).toMatch(/^outbox\.window: got a bigint/);
});

test("what is sent before the client is there goes out when it is", async () => {
  const server = await serveInMemory();
  const { ana, id } = await pair(server);
  await ana.close();
  const { result } = renderHook(() => useChat(id), { wrapper: making(optionsFor(server, "ana")) });
  expect(result.current.status).toBe("idle");
  // The client knows the conversation only when it has caught up: until then sending to it is refused.
  await waitFor(() => expect(result.current.isConnected).toBe(true));
  await waitFor(() => expect(result.current.phase).toBe("live"));
  await act(async () => void (await result.current.sendMessage("hello")));
  await waitFor(() => expect(server.messages(id)).toHaveLength(1));
});

test("another user is another client; another getToken is not", async () => {
  const server = await serveInMemory();
  function Who() {
    const client = useChatClient();
    const { state } = useConnection();
    return <p>{`${client?.userId} ${state}`}</p>;
  }
  const clients: ChatClient[] = [];
  function Collect() {
    const client = useChatClient();
    if (client && !clients.includes(client)) clients.push(client);
    return null;
  }
  const tree = (userId: string, getToken = () => `user:${userId}`) => (
    <ChatProvider options={{ ...optionsFor(server, userId), getToken }}>
      <Who />
      <Collect />
    </ChatProvider>
  );
  const { rerender } = render(tree("ana"));
  await screen.findByText("ana online");
  rerender(tree("ana", () => "user:ana#2"));
  rerender(tree("ana", () => "user:ana#3"));
  expect(clients).toHaveLength(1);
  rerender(tree("ben"));
  await screen.findByText("ben online");
  expect(clients.map(({ userId }) => userId)).toEqual(["ana", "ben"]);
  await waitFor(() => expect(clients[0]?.connection.state).toBe("closed"));
});

test("a refused token is an error to be shown until the connection is there", async () => {
  const server = await serveInMemory();
  let token = "bad";
  const client = await chatOf(server, "ana", { getToken: () => token });
  const { result } = renderHook(() => ({ chat: useChat("c"), connection: useConnection() }), {
    wrapper: within(client),
  });
  await act(() => client.connect().catch(() => {}));
  await waitFor(() => expect(result.current.chat.errorDetail).toMatchObject({ code: "auth" }));
  expect(result.current.chat.status).toBe("failed");
  token = "user:ana";
  await act(() => result.current.connection.connect());
  await waitFor(() => expect(result.current.chat).toMatchObject({ error: null, status: "online" }));
});

test("options that are wrong are an error to be shown", async () => {
  const options = { ...optionsFor({ url: "ftp://host" }, "ana") };
  const { result } = renderHook(() => useChat("c"), { wrapper: making(options) });
  await waitFor(() => expect(result.current.errorDetail).toMatchObject({ code: "config" }));
  act(() => result.current.clearError());
  expect(result.current.error).toBeNull();
  let sent: unknown = "nothing yet";
  await act(async () => {
    sent = await result.current.sendMessage("hello");
  });
  expect(sent).toBeNull();
  expect(result.current.error).toMatch(/url/);
});

test("hooks of one conversation share one window, and give it back", async () => {
  const server = await serveInMemory();
  const ana = await chatOf(server, "ana");
  await ana.connect();
  const { id } = await ana.createDirect("ben");
  let opened = 0;
  const timeline = ana.timeline.bind(ana);
  ana.timeline = (conversationId) => {
    opened += 1;
    return timeline(conversationId);
  };
  onTestFinished(() => void Reflect.deleteProperty(ana, "timeline"));
  const both = renderHook(() => [useChat(id), useChat(id)], { wrapper: within(ana) });
  await waitFor(() => expect(both.result.current[1]?.loading).toBe(false));
  expect(opened).toBe(1);
  both.unmount();
  await act(async () => {});
  const again = renderHook(() => useChat(id), { wrapper: within(ana) });
  await waitFor(() => expect(again.result.current.loading).toBe(false));
  expect(opened).toBe(2);
});
