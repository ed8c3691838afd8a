// The hooks as readers of the companion's and the assistant's guides use them.
import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactNode, StrictMode, useState } from "react";
import { expect, test } from "vitest";
import type { ChatClient } from "../../src/index.js";
import {
  ChatProvider,
  useChat,
  useChatClient,
  useConnection,
  usePresence,
  useTyping,
  useWebSocket,
  useWebSocketStatus,
  WebSocketProvider,
} from "../../src/react/index.js";
import { FakeChat } from "../fake.js";
import { optionsFor, pair, serve } from "../support.js";

function within(client: ChatClient) {
  return ({ children }: { children: ReactNode }) => (
    <StrictMode>
      <ChatProvider client={client}>{children}</ChatProvider>
    </StrictMode>
  );
}

test("useWebSocket gives what C11 names, does what C2 names, and its functions stay the same", async () => {
  const fake = new FakeChat();
  const { result } = renderHook(() => useWebSocket(), { wrapper: within(fake.client) });
  const fields = ["isConnected", "markAsRead", "requestPhoto", "sendMessage", "setTyping", "socketId"];
  expect(Object.keys(result.current).sort()).toEqual(fields);
  expect(result.current).toMatchObject({ isConnected: false, socketId: null });
  const { sendMessage, setTyping, markAsRead, requestPhoto } = result.current;
  await act(() => fake.connect());
  expect(result.current).toMatchObject({ isConnected: true, socketId: "socket-1" });
  expect(result.current.sendMessage).toBe(sendMessage);

  await act(async () => void (await sendMessage("luna", "hi")));
  setTyping("luna", true);
  for (const id of ["9", "10", "12", "13"]) fake.receive({ id, conversationId: "luna" });
  await markAsRead("luna", [9, 12, 10]);
  await markAsRead("luna", []);
  await expect(markAsRead("luna", [99])).rejects.toMatchObject({ code: "notFound" });
  await requestPhoto("luna", { mood: "sunny" });
  await requestPhoto("luna");
  expect(fake.of("send")).toEqual([["luna", "hi", {}]]);
  expect(fake.of("setTyping")).toEqual([["luna", true]]);
  expect(fake.of("markRead")).toEqual([["luna", "luna:12"]]);
  expect(fake.of("wire.send")).toEqual([
    ["request_photo", { user_id: 7, girl_id: "luna", context: { mood: "sunny" } }],
    ["request_photo", { user_id: 7, girl_id: "luna" }],
  ]);
});

test("useWebSocketStatus renders anew only where the connection changes (C11)", async () => {
  const { ana } = await pair(await serve());
  let renders = 0;
  const { result } = renderHook(
    () => {
      renders += 1;
      return useWebSocketStatus();
    },
    { wrapper: ({ children }) => <ChatProvider client={ana}>{children}</ChatProvider> },
  );
  expect(result.current).toEqual({ isConnected: true, socketId: ana.connection.socketId });
  const before = renders;
  const { id } = await ana.createDirect("ben");
  const { key } = await ana.send(id, "hello");
  await ana.acknowledged(key);
  expect(renders).toBe(before);
  act(() => ana.disconnect());
  await waitFor(() => expect(result.current).toEqual({ isConnected: false, socketId: null }));
});

test("what useWebSocket cannot do rejects in words", async () => {
  const { ana } = await pair(await serve());
  const { result } = renderHook(() => useWebSocket(), { wrapper: within(ana) });
  const { sendMessage, markAsRead, requestPhoto } = result.current;
  await expect(sendMessage("", "hello")).rejects.toMatchObject({ name: "ChatError", code: "validation" });
  await expect(markAsRead("", [1])).rejects.toMatchObject({ code: "validation" });
  await expect(requestPhoto("luna", 1n as never)).rejects.toMatchObject({ code: "validation" });
  const { result: alone } = renderHook(() => useWebSocket());
  await expect(alone.current.sendMessage("c", "hello")).rejects.toMatchObject({
    code: "config",
    message: expect.stringContaining("<ChatProvider>"),
  });
});

test("WebSocketProvider connects at login and disconnects at logout; a new token is no new client (C1)", async () => {
  const server = await serve();
  const clients = new Set<ChatClient>();
  function Status() {
    const client = useChatClient();
    if (client) clients.add(client);
    const { isConnected, socketId } = useWebSocketStatus();
    return <p>{isConnected ? `connected ${typeof socketId}` : "not connected"}</p>;
  }
  const { getToken: _, ...common } = optionsFor(server, "ana");
  const tree = (userId: string | null, token: string | null) => (
    <StrictMode>
      <WebSocketProvider {...common} userId={userId} token={token}>
        <Status />
      </WebSocketProvider>
    </StrictMode>
  );
  const { rerender } = render(tree(null, null));
  screen.getByText("not connected");
  rerender(tree("ana", "bad"));
  await waitFor(() => expect([...clients].at(-1)?.connection.state).toBe("failed"));
  rerender(tree("ana", "user:ana"));
  await screen.findByText("connected string");
  expect(clients.size).toBe(1);
  rerender(tree(null, null));
  await screen.findByText("not connected");
  const [client] = clients;
  await waitFor(() => expect(client?.connection.state).toBe("closed"));
  await expect.poll(() => server.faults.dropSockets("ana")).toBe(0);
});

test("login, another user and logout unmount nothing of the application", async () => {
  const server = await serve();
  function Draft() {
    const [text, setText] = useState("empty");
    const { isConnected } = useWebSocketStatus();
    const userId = useChatClient()?.userId;
    return (
      <button type="button" onClick={() => setText("written")}>
        {`${text} ${isConnected ? userId : "nobody"}`}
      </button>
    );
  }
  const { getToken: _, ...common } = optionsFor(server, "ana");
  const tree = (userId: string | null) => (
    <StrictMode>
      <WebSocketProvider {...common} userId={userId} token={userId && `user:${userId}`}>
        <Draft />
      </WebSocketProvider>
    </StrictMode>
  );
  const { rerender } = render(tree(null));
  act(() => screen.getByText("empty nobody").click());
  rerender(tree("ana"));
  await screen.findByText("written ana");
  rerender(tree("ben"));
  await screen.findByText("written ben");
  await expect.poll(() => server.faults.dropSockets("ana")).toBe(0);
  rerender(tree(null));
  await screen.findByText("written nobody");
  await expect.poll(() => server.faults.dropSockets("ben")).toBe(0);
});

test("below a provider without a login the hooks are empty, and say so when asked", async () => {
  const { result } = renderHook(() => ({ socket: useWebSocket(), status: useConnection().state }), {
    wrapper: ({ children }) => (
      <WebSocketProvider url="http://127.0.0.1:9" userId={null} token="t">
        {children}
      </WebSocketProvider>
    ),
  });
  expect(result.current).toMatchObject({ status: "idle", socket: { isConnected: false, socketId: null } });
  await expect(result.current.socket.sendMessage("c", "hi")).rejects.toMatchObject({
    message: expect.stringContaining("nobody is logged in"),
  });
});

test("useTyping: who else types, and saying so", async () => {
  const { ana, ben, id } = await pair(await serve());
  const { result } = renderHook(() => useTyping(id), { wrapper: within(ana) });
  const { result: other } = renderHook(() => useTyping(id), { wrapper: within(ben) });
  expect(result.current).toMatchObject({ typingUsers: [], isTyping: false });
  act(() => result.current.setTyping(true));
  await waitFor(() => expect(other.current).toMatchObject({ typingUsers: ["ana"], isTyping: true }));
  act(() => result.current.setTyping(false));
  await waitFor(() => expect(other.current.isTyping).toBe(false));
});

test("usePresence follows somebody; nobody is online of whom nothing was told", async () => {
  const server = await serve();
  const { ana, ben } = await pair(server);
  const ids = ["ben", "nobody"];
  const { result } = renderHook(() => ids.map((id) => usePresence(id)), { wrapper: within(ana) });
  expect(result.current[1]).toEqual({ isOnline: false, lastSeen: null });
  act(() => ben.disconnect());
  await waitFor(() => expect(result.current[0]?.isOnline).toBe(false));
  await act(() => ben.connect());
  await waitFor(() => expect(result.current[0]?.isOnline).toBe(true));
});

test("useChat without an id is the assistant's conversation, with its typing and its context (A6, A8)", async () => {
  const fake = new FakeChat("assistant", "u1");
  const { result } = renderHook(() => useChat(), { wrapper: within(fake.client) });
  expect(result.current).toMatchObject({ isTyping: false, context: null, messages: [] });
  await act(async () => void (await result.current.sendMessage("what is new?")));
  expect(result.current.messages.map(({ text }) => text)).toEqual(["what is new?"]);
  act(() => fake.setTypist("assistant", "assistant", true));
  expect(result.current).toMatchObject({ isTyping: true, typingUsers: ["assistant"] });
  act(() => {
    fake.receive({ conversationId: "assistant", sender: "ai", text: "much" });
    fake.setTypist("assistant", "assistant", false);
  });
  expect(result.current.isTyping).toBe(false);
  expect(result.current.messages.map(({ text }) => text)).toEqual(["what is new?", "much"]);
  const context = { userId: "u1", timezone: "Europe/Paris", capabilities: ["search"], preferences: {} };
  act(() => fake.tellWire("context", context));
  expect(result.current.context).toBe(context);
  // Whoever looks later is shown it, too.
  const { result: later } = renderHook(() => useChat(), { wrapper: within(fake.client) });
  expect(later.current.context).toBe(context);
});

test("useChat without an id opens an assistant's conversation as soon as it is known", async () => {
  const fake = new FakeChat("custom");
  const { result } = renderHook(() => useChat(), { wrapper: within(fake.client) });
  await act(async () => void (await result.current.sendMessage("to whom?")));
  expect(result.current.errorDetail).toMatchObject({ code: "validation" });
  act(() => fake.setConversations({ id: "only", kind: "assistant" }));
  act(() => void fake.receive({ conversationId: "only", text: "to me" }));
  expect(result.current.messages.map(({ text }) => text)).toEqual(["to me"]);
  expect(fake.of("timeline").every(([id]) => id === "only")).toBe(true);
});

test("the client keeps the last context that the backend told; another profile's is none of useChat's (A6)", async () => {
  const server = await serve();
  const { ana, id } = await pair(server);
  const { result } = renderHook(() => useChat(id), { wrapper: within(ana) });
  await waitFor(() => expect(result.current.loading).toBe(false));
  expect(ana.context).toBeNull();
  const heard = new Promise((resolve) => ana.wire.on("context", resolve));
  server.emit("context", { capabilities: ["search"] });
  await act(() => heard);
  expect(ana.context).toEqual({ capabilities: ["search"] });
  expect(result.current.context).toBeNull();
});

test("what nobody looks at any more is given back", async () => {
  const fake = new FakeChat();
  const first = renderHook(() => [useTyping("a"), useTyping("a")], { wrapper: within(fake.client) });
  const [one, two] = first.result.current;
  expect(one).toBe(two);
  first.unmount();
  await act(async () => {});
  expect(fake.listenerCount("typing")).toBe(0);
  const again = renderHook(() => useTyping("a"), { wrapper: within(fake.client) });
  expect(again.result.current.setTyping).not.toBe(one?.setTyping);
});
