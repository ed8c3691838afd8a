// The components, against the official Socket.IO server.
import "./layout.js";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { StrictMode } from "react";
import { expect, test, vi } from "vitest";
import {
  ChatDebugPanel,
  ChatInterface,
  type ChatInterfaceProps,
  Composer,
  ConnectionStatus,
  ConversationList,
  english,
  MessageBubble,
  MessageList,
  TypingIndicator,
  WordingProvider,
} from "../../src/components/index.js";
import type { ChatClient, Message } from "../../src/index.js";
import { ChatProvider } from "../../src/react/index.js";
import { chatOf, pair, serve, until } from "../support.js";

const show = (client: ChatClient, props: ChatInterfaceProps = {}) =>
  render(
    <StrictMode>
      <ChatProvider client={client}>
        <ChatInterface {...props} />
      </ChatProvider>
    </StrictMode>,
  );
const field = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
const type = (text: string) => fireEvent.change(field(), { target: { value: text } });
const row = async (text: string) => {
  const found = await screen.findByText(text, { selector: ".chatwire-text" });
  return found.closest<HTMLElement>(".chatwire-message") as HTMLElement;
};

test("two people: chosen in the list, said by Enter, seen, read", async () => {
  const { ana, ben, id } = await pair(await serve());
  await ben.send(id, "good morning");
  show(ana);
  fireEvent.click(await screen.findByRole("button", { name: /good morning/ }));
  await row("good morning");
  type("hello");
  fireEvent.keyDown(field(), { key: "Enter", shiftKey: true });
  fireEvent.keyDown(field(), { key: "Enter", isComposing: true });
  expect(field().value).toBe("hello");
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(field().value).toBe("");
  const hello = await row("hello");
  await waitFor(() => expect(hello.dataset.status).toBe("delivered"));
  await until(ben.timeline(id), ({ messages }) => messages[0]?.status === "read");
});

test("a new message draws one row, and is read out", async () => {
  const { ana, ben, id } = await pair(await serve());
  const drawn: string[] = [];
  const renderMessage: ChatInterfaceProps["renderMessage"] = (props) => {
    drawn.push(props.message.text);
    return <MessageBubble {...props} />;
  };
  render(
    <ChatProvider client={ana}>
      <MessageList conversationId={id} renderMessage={renderMessage} />
    </ChatProvider>,
  );
  for (const text of ["one", "two", "three"]) await ben.send(id, text);
  await row("three");
  drawn.length = 0;
  await ben.send(id, "four");
  await row("four");
  expect(new Set(drawn)).toEqual(new Set(["four"]));
  expect(drawn).toHaveLength(1);
  expect(screen.getByRole("status").textContent).toMatch(/^ben.*: four$/i);
});

test("edited, answered, reacted to and deleted by the menu of a message", async () => {
  const { ana, ben, id } = await pair(await serve());
  const mine = await ana.send(id, "helo");
  await ana.acknowledged(mine.key);
  show(ana, { conversationId: id });
  const act = async (text: string, name: string) => {
    const at = within(await row(text));
    fireEvent.click(at.getByRole("button", { name: "Message actions" }));
    fireEvent.click(at.getByRole("button", { name }));
  };
  await act("helo", "Edit");
  expect(field().value).toBe("helo");
  type("hello");
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await row("hello");
  await act("hello", "React with 👍");
  fireEvent.click(await screen.findByRole("button", { name: "👍 1", pressed: true }));
  await waitFor(() => expect(screen.queryByRole("button", { name: "👍 1" })).toBeNull());

  await act("hello", "Reply");
  expect(screen.getByText("Replying to: hello")).toBeTruthy();
  type("an answer");
  fireEvent.keyDown(field(), { key: "Enter" });
  const answer = within(await row("an answer"));
  expect(answer.getByText("hello").className).toContain("chatwire-quote");
  expect(screen.queryByText(/^Replying/)).toBeNull();
  await until(ben.timeline(id), ({ messages }) => messages.at(-1)?.replyTo?.excerpt === "hello");

  await act("an answer", "Delete");
  await screen.findByText("Message deleted", { selector: ".chatwire-tombstone" });
});

test("what could not be sent says so, and is sent again or discarded", async () => {
  const server = await serve();
  const { ana, id } = await pair(server);
  show(ana, { conversationId: id });
  server.faults.refuseNext(2, "ForbiddenError");
  for (const text of ["again", "never"]) {
    type(text);
    fireEvent.click(screen.getByRole("button", { name: "Send" }));
    await within(await row(text)).findByText(/^Not sent: ./);
  }
  fireEvent.click(within(await row("never")).getByRole("button", { name: "Discard" }));
  fireEvent.click(within(await row("again")).getByRole("button", { name: "Send again" }));
  await waitFor(() => expect(server.log(id)).toHaveLength(1));
  await waitFor(() => expect(screen.queryByText("never")).toBeNull());
});

test("the draft is the client's; the limit is that of the options, and what is over it is not sent", async () => {
  const server = await serve();
  const ana = await chatOf(server, "ana", { limits: { maxTextLength: 20 } });
  await ana.connect();
  const { id } = await ana.createDirect("ben");
  await act(() => ana.setDraft(id, "half a thought"));
  const { unmount } = show(ana, { conversationId: id });
  await waitFor(() => expect(field().value).toBe("half a thought"));
  type("another one");
  await until(ana.conversation(id), (conversation) => conversation?.draft === "another one");
  unmount();
  show(ana, { conversationId: id });
  expect(field().value).toBe("another one");
  type("x".repeat(18));
  screen.getByText("18 of 20 characters");
  type("x".repeat(21));
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Send" }).disabled).toBe(true);
  fireEvent.keyDown(field(), { key: "Enter" });
  expect(field().value).toHaveLength(21);
  await expect(ana.send(id, "x".repeat(21))).rejects.toMatchObject({ code: "tooLarge" });
});

test.each([
  ["team", 10_000],
  ["assistant", 500],
] as const)("the limit of %s is the core's, where the options have none", async (profile, most) => {
  const { wasmOf } = await import("../support.js");
  const wasm = await wasmOf(profile === "assistant" ? "json" : "");
  const url = profile === "assistant" ? "ws://127.0.0.1:9" : "http://127.0.0.1:9";
  const chat = await chatOf({ url }, "ana", { profile, wasm, token: "t", getToken: undefined });
  expect(chat.maxTextLength).toBe(most);
  await expect(chat.send("assistant", "x".repeat(most + 1))).rejects.toMatchObject({ code: "tooLarge" });
  const sent = await chat.send("assistant", "x".repeat(most)).catch(({ code }) => code);
  expect(sent).not.toBe("tooLarge");
});

test("typing is told, and shown by name; other words in place of the English ones", async () => {
  const { ana, ben, id } = await pair(await serve());
  const strings = { ...english, typing: (names: readonly string[]) => `${names.join(" und ")} schreibt` };
  render(
    <ChatProvider client={ana}>
      <WordingProvider strings={strings} nameOf={(userId) => (userId === "ben" ? "Benno" : undefined)}>
        <TypingIndicator conversationId={id} />
      </WordingProvider>
    </ChatProvider>,
  );
  render(
    <ChatProvider client={ben}>
      <Composer conversationId={id} />
    </ChatProvider>,
  );
  type("g");
  await screen.findByText("Benno schreibt");
});

test("the list of conversations: unread, and the arrow keys", async () => {
  const { ana, ben, id } = await pair(await serve());
  await ana.createGroup({ title: "Trip", members: ["ben", "cleo"] });
  await ben.send(id, "two");
  const onSelect = vi.fn();
  render(
    <ChatProvider client={ana}>
      <ConversationList onSelect={onSelect} />
    </ChatProvider>,
  );
  const first = await screen.findByRole("button", { name: /two.*1 unread/ });
  first.focus();
  fireEvent.keyDown(first, { key: "ArrowDown" });
  expect(document.activeElement?.textContent).toContain("Trip");
  fireEvent.keyDown(document.activeElement as Element, { key: "ArrowUp" });
  expect(document.activeElement).toBe(first);
  fireEvent.click(first);
  expect(onSelect).toHaveBeenCalledWith(id);
});

test("the connection in words: online, closed, and tried again", async () => {
  const server = await serve();
  const { ana } = await pair(server);
  const { container } = render(
    <ChatProvider client={ana}>
      <ConnectionStatus />
      <ChatDebugPanel />
    </ChatProvider>,
  );
  const [status] = screen.getAllByRole("status");
  expect(status?.textContent).toBe("Online");
  fireEvent.click(screen.getByRole("button", { name: "Disconnect" }));
  await waitFor(() => expect(status?.textContent).toMatch(/^Disconnected/));
  fireEvent.click(await screen.findByRole("button", { name: "Connect" }));
  await waitFor(() => expect(status?.textContent).toBe("Online"));
  expect(container.querySelector(".chatwire-debug ol")?.textContent).toContain("connection");
  await act(() => server.close());
  await screen.findByText(/^Next attempt in \d+ s$/);
});

test("text is text, and only web addresses are links", () => {
  const message = {
    ...({ sender: "user", createdAt: "2026-01-01T00:00:00Z", reactions: [], replyTo: null } as object),
    text: '<img src=x onerror="1"> javascript:alert(1) https://example.com/a.',
    attachments: [
      { type: "file", url: "javascript:alert(1)", name: "bad" },
      { type: "file", url: "https://example.com/f", name: "good" },
    ],
  } as unknown as Message;
  const { container } = render(<MessageBubble message={message} />);
  expect(container.querySelector(".chatwire-text")?.textContent).toBe(message.text);
  expect([...container.querySelectorAll("a")].map(({ href }) => href)).toEqual([
    "https://example.com/a",
    "https://example.com/f",
  ]);
  expect(container.querySelector("img")).toBeNull();
});
