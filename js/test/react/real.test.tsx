// The hooks of three guides with their own profiles: against the official Socket.IO server, and plain WebSocket.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  startAssistantServer,
  startChannelsServer,
  startCompanionServer,
} from "@chatwire/test-servers/guides";
import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import { type ReactNode, useEffect, useState } from "react";
import { expect, onTestFinished, test } from "vitest";
import { ChatProvider, useChat, useSocket, useWebSocket, WebSocketProvider } from "../../src/react/index.js";
import { wasm } from "../support.js";

test("a companion's screen: WebSocketProvider, useWebSocket, useChat (C1, C2, C11)", async () => {
  const server = await startCompanionServer();
  onTestFinished(() => server.close());
  const wrapper = ({ children }: { children: ReactNode }) => (
    <WebSocketProvider url={server.url} userId={7} token="user:7" storage="memory" wasm={wasm}>
      {children}
    </WebSocketProvider>
  );
  const { result } = renderHook(() => ({ socket: useWebSocket(), chat: useChat("luna") }), { wrapper });
  await waitFor(() => expect(result.current.socket.isConnected).toBe(true));
  expect(result.current.socket.socketId).toEqual(expect.any(String));
  await act(async () => void (await result.current.socket.sendMessage("luna", "hi")));
  await waitFor(() =>
    expect(result.current.chat.messages.map(({ text, sender }) => [text, sender])).toEqual([
      ["hi", "me"],
      ["you said: hi", "ai"],
    ]),
  );
  await act(() => result.current.socket.markAsRead("luna", [42]));
  await expect.poll(() => server.of("mark_read").length).toBe(1);
  await act(() => result.current.socket.requestPhoto("luna"));
  await expect.poll(() => server.of("request_photo")).toEqual([{ user_id: 7, girl_id: "luna" }]);
});

test("a channel's screen: useSocket with its own profile (H1, H4, H5)", async () => {
  const server = await startChannelsServer();
  onTestFinished(() => server.close());
  function Screen({ userId }: { userId: string }) {
    const { socket } = useSocket({
      url: server.url,
      token: `jwt-${userId}`,
      userId,
      storage: "memory",
      wasm,
    });
    const [shown, show] = useState("");
    useEffect(() => socket?.on("message:new", ({ content }) => show(content)), [socket]);
    const send = async () => {
      const ack = await socket?.sendMessage({ content: `hello from ${userId}`, channelId: "general" });
      show(`sent: ${ack?.success}`);
    };
    return (
      <button type="button" onClick={send}>
        {`${userId}: ${shown}`}
      </button>
    );
  }
  render(
    <>
      <Screen userId="ana" />
      <Screen userId="ben" />
    </>,
  );
  await expect.poll(() => server.io.sockets.sockets.size).toBe(2);
  act(() => screen.getByText("ana:").click());
  await screen.findByText("ana: sent: true");
  await screen.findByText("ben: hello from ana");
});

test("an assistant's screen: useChat without an id, its typing and its context (A6, A8)", async () => {
  const server = await startAssistantServer();
  onTestFinished(() => server.close());
  const json = await readFile(join(import.meta.dirname, "../../pkg/json/chatwire_bg.wasm"));
  const options = { url: server.url, profile: "assistant", userId: "u1", token: "user:u1" } as const;
  const wrapper = ({ children }: { children: ReactNode }) => (
    <ChatProvider options={{ ...options, storage: "memory", wasm: json }}>{children}</ChatProvider>
  );
  const { result } = renderHook(() => useChat(), { wrapper });
  await waitFor(() => expect(result.current).toMatchObject({ isConnected: true, isTyping: false }));
  await waitFor(() =>
    expect(result.current.context).toMatchObject({ userId: "u1", capabilities: ["search"] }),
  );
  server.state.silent = true;
  await act(async () => void (await result.current.sendMessage("hello")));
  await waitFor(() => expect(result.current).toMatchObject({ isTyping: true, typingUsers: ["assistant"] }));
  act(() => server.say("well"));
  await waitFor(() => expect(result.current.messages.map(({ text }) => text)).toEqual(["hello", "well"]));
  expect(result.current).toMatchObject({ isTyping: false, error: null });
});
