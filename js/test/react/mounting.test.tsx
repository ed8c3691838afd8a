// What an application takes for granted of hooks: rows are drawn when they change and only then, and nothing stays behind.
import { act, render, renderHook, waitFor } from "@testing-library/react";
import { memo, type ReactNode, StrictMode } from "react";
import { expect, test } from "vitest";
import type { ChatEvents, Message, Timeline } from "../../src/index.js";
import {
  ChatProvider,
  useChat,
  useConnection,
  useConversations,
  usePresence,
  useTyping,
  useWebSocket,
} from "../../src/react/index.js";
import { EVENTS } from "../../src/tell.js";
import { pair, serveInMemory } from "../support.js";

test("when one row changes, a component of another is not drawn again", async () => {
  const { ana, ben, id } = await pair(await serveInMemory());
  for (const text of ["first", "second", "third"]) await ben.send(id, text);
  const drawn: Record<string, number> = {};
  let rows: readonly Message[] = [];
  const Row = memo(function Row({ message }: { message: Message }) {
    drawn[message.text] = (drawn[message.text] ?? 0) + 1;
    return <li>{message.text}</li>;
  });
  function List() {
    rows = useChat(id).messages;
    return rows.map((message) => <Row key={message.rowKey} message={message} />);
  }
  render(
    <ChatProvider client={ana}>
      <List />
    </ChatProvider>,
  );
  await waitFor(() => expect(rows).toHaveLength(3));
  const before = { ...drawn };
  const second = rows[1]?.rowKey ?? "";
  await act(async () => void (await ana.react(second, "👍")));
  await waitFor(() => expect(rows[1]?.reactions).toHaveLength(1));
  await ben.send(id, "fourth");
  await waitFor(() => expect(rows).toHaveLength(4));
  expect(drawn.second).toBeGreaterThan(before.second ?? 0);
  expect({ first: drawn.first, third: drawn.third }).toEqual({ first: before.first, third: before.third });
});

const events = Object.keys(EVENTS) as (keyof ChatEvents)[];

test("mounted and unmounted many times, also under StrictMode, the hooks leave no listener and no window", async () => {
  const { ana, id } = await pair(await serveInMemory());
  const listeners = () => events.map((event) => `${event} ${ana.listenerCount(event)}`);
  const open = new Set<Timeline>();
  const timeline = ana.timeline.bind(ana);
  ana.timeline = (conversationId) => {
    const opened = timeline(conversationId);
    const close = opened.close.bind(opened);
    opened.close = () => {
      open.delete(opened);
      close();
    };
    open.add(opened);
    return opened;
  };
  const before = listeners();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <StrictMode>
      <ChatProvider client={ana}>{children}</ChatProvider>
    </StrictMode>
  );
  const everything = () => ({
    chat: useChat(id),
    others: [useConnection(), useConversations(), usePresence("ben"), useTyping(id), useWebSocket()],
  });
  for (let round = 0; round < 20; round += 1) {
    const { result, unmount } = renderHook(everything, { wrapper });
    await waitFor(() => expect(result.current.chat.loading).toBe(false));
    expect(open.size).toBe(1);
    expect(listeners()).not.toEqual(before);
    unmount();
    await act(async () => {});
    expect(open.size).toBe(0);
    expect(listeners()).toEqual(before);
  }
});
