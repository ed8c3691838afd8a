// `useSocket` as a reader of the channels guide uses it (H1), over the team's wire: it connects in the same way.
import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import { StrictMode, useEffect, useState } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import {
  type ChatSocketClient,
  type SharedConfig,
  type SocketConfig,
  useSocket,
} from "../../src/react/index.js";
import { optionsFor, serve } from "../support.js";

function configOf(server: { url: string }, token: string): SocketConfig {
  const { getToken: _, ...options } = optionsFor(server, "ana");
  return { ...options, token };
}

test("{ socket }: connected while mounted, one for all components, also under StrictMode (H1)", async () => {
  const server = await serve();
  const sockets = new Set<ChatSocketClient>();
  function Reader({ name }: { name: string }) {
    const { socket } = useSocket(configOf(server, "user:ana"));
    const [heard, setHeard] = useState("");
    useEffect(() => {
      if (!socket) return;
      sockets.add(socket);
      return socket.on("test:news", (news: string) => setHeard(news));
    }, [socket]);
    return <p>{`${name} ${heard}`}</p>;
  }
  const { unmount } = render(
    <StrictMode>
      <Reader name="first" />
      <Reader name="second" />
    </StrictMode>,
  );
  await waitFor(() => expect([...sockets].at(-1)?.isConnected()).toBe(true));
  expect(sockets.size).toBe(1);
  server.emit("test:news", "hello");
  await screen.findByText("first hello");
  await screen.findByText("second hello");
  const [socket] = sockets;
  const client = await socket?.client();
  unmount();
  await waitFor(() => expect(client?.connection.state).toBe("closed"));
  await expect.poll(() => server.faults.dropSockets("ana")).toBe(0);
});

test("the same object at every render; another token is no other socket, and revives one that has failed (H7)", async () => {
  const server = await serve();
  const told: string[] = [];
  const config = (token: string, mark: string): SocketConfig => ({
    ...configOf(server, token),
    onAuthError: ({ type }) => void told.push(`${mark} ${type}`),
    onReconnect: () => void told.push(`${mark} reconnected`),
  });
  const { result, rerender } = renderHook(({ with: given }) => useSocket(given), {
    initialProps: { with: config("bad", "first") },
  });
  const first = result.current;
  expect(first.socket).not.toBeNull();
  rerender({ with: config("bad", "second") });
  expect(result.current).toBe(first);
  await waitFor(() => expect(told).toEqual(["second auth_failed"]));
  const client = await first.socket?.client();
  await waitFor(() => expect(client?.connection.state).toBe("failed"));
  rerender({ with: config("user:ana", "third") });
  await waitFor(() => expect(first.socket?.isConnected()).toBe(true));
  server.faults.dropSockets("ana");
  await waitFor(() => expect(told).toEqual(["second auth_failed", "third reconnected"]));
  expect(result.current).toBe(first);
});

test("a component without callbacks takes away nobody else's; all are called, and one token is enough (H7)", async () => {
  const server = await serve();
  const told: string[] = [];
  const base = configOf(server, "bad");
  const onReconnect = (name: string) => () => void told.push(`${name} reconnected`);
  function Child({ name }: { name?: string }) {
    useSocket(name ? { ...base, onReconnect: onReconnect(name) } : base);
    return null;
  }
  const sockets = new Set<ChatSocketClient>();
  function Root() {
    const onAuthError = async ({ type }: { type: string }) => {
      told.push(`root ${type}`);
      return "user:ana";
    };
    const { socket } = useSocket({ ...base, onAuthError, onReconnect: onReconnect("root") });
    if (socket) sockets.add(socket);
    return [<Child key="1" />, <Child key="2" name="child" />];
  }
  render(
    <StrictMode>
      <Root />
    </StrictMode>,
  );
  await waitFor(() => expect([...sockets].at(-1)?.isConnected()).toBe(true));
  expect([sockets.size, told]).toEqual([1, ["root auth_failed"]]);
  server.faults.dropSockets("ana");
  await waitFor(() => expect(told).toHaveLength(3));
  expect(told.slice(1).sort()).toEqual(["child reconnected", "root reconnected"]);
});

test("while nobody is logged in there is no socket, and no error", async () => {
  const server = await serve();
  const told: string[] = [];
  const { getToken: _, userId: _ana, ...base } = optionsFor(server, "ana");
  const onConnectionError = ({ message }: { message: string }) => void told.push(message);
  const config = (userId: string | null | undefined, token: string | null): SharedConfig => ({
    ...base,
    userId,
    token,
    onConnectionError,
  });
  const { result, rerender } = renderHook(({ with: given }) => useSocket(given), {
    initialProps: { with: config(undefined, null) },
  });
  await act(async () => {});
  expect(result.current.socket).toBeNull();
  rerender({ with: config("ana", null) });
  rerender({ with: config(null, "user:ana") });
  await act(async () => {});
  expect(result.current.socket).toBeNull();
  rerender({ with: config("ana", "user:ana") });
  await waitFor(() => expect(result.current.socket?.isConnected()).toBe(true));
  rerender({ with: config(null, null) });
  expect(result.current.socket).toBeNull();
  await expect.poll(() => server.faults.dropSockets("ana")).toBe(0);
  expect(told).toEqual([]);
});

test("what is wrong with the configuration is told, in words", async () => {
  const told: string[] = [];
  const onConnectionError = ({ message }: { message: string }) => void told.push(message);
  renderHook(() => useSocket({ ...configOf({ url: "ftp://host" }, "t"), onConnectionError }));
  await act(async () => {});
  await waitFor(() => expect(told).toEqual([expect.stringContaining("url")]));
});

test("on a server there is none", () => {
  function Show() {
    return <p>{String(useSocket({ url: "http://127.0.0.1:9", userId: "ana", token: "t" }).socket)}</p>;
  }
  expect(renderToString(<Show />)).toBe("<p>null</p>");
});
