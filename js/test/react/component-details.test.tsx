// What the components owe to those who name people otherwise, write by an input method, or go by keyboard.
import "./layout.js";
import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import {
  ChatInterface,
  Composer,
  ConnectionStatus,
  ConversationList,
  WordingProvider,
} from "../../src/components/index.js";
import { ChatProvider } from "../../src/react/index.js";
import { FakeChat } from "../fake.js";
import { chatOf, pair, serve, until } from "../support.js";

test("a direct conversation is called by the name that the application gives", async () => {
  const { ana } = await pair(await serve());
  render(
    <ChatProvider client={ana}>
      <WordingProvider nameOf={(userId) => (userId === ana.userId ? undefined : "Benno")}>
        <ConversationList onSelect={() => {}} />
      </WordingProvider>
    </ChatProvider>,
  );
  expect(await screen.findByRole("button", { name: /Benno/ })).toBeTruthy();
});

test("an undefined word is one that was left out", async () => {
  const { ana, id } = await pair(await serve());
  render(
    <ChatProvider client={ana}>
      <WordingProvider strings={{ send: undefined, message: "Words" }}>
        <Composer conversationId={id} />
      </WordingProvider>
    </ChatProvider>,
  );
  expect(screen.getByRole("button", { name: "Send" })).toBeTruthy();
  expect(screen.getByRole("textbox", { name: "Words" })).toBeTruthy();
});

test("a browser that is offline is believed, but where the client has ended, and nothing is counted down", async () => {
  const server = await serve();
  const { ana } = await pair(server);
  const onLine = vi.spyOn(navigator, "onLine", "get").mockReturnValue(false);
  render(
    <ChatProvider client={ana}>
      <ConnectionStatus />
    </ChatProvider>,
  );
  const status = screen.getByRole("status");
  expect(status.textContent).toMatch(/^Offline/);
  await server.close();
  await waitFor(() => expect(ana.connection.state).toBe("waiting"));
  await screen.findByRole("button", { name: "Try now" });
  expect(screen.queryByText(/^Next attempt/)).toBeNull();
  ana.disconnect();
  await waitFor(() => expect(status.textContent).toMatch(/^Disconnected/));
  onLine.mockRestore();
});

test("what belongs to an input method neither sends nor gives up", async () => {
  const { ana, ben, id } = await pair(await serve());
  await ben.send(id, "which one?");
  const onDone = vi.fn();
  const timeline = ana.timeline(id);
  await until(timeline, ({ messages }) => messages.length === 1);
  const [replyTo] = timeline.getSnapshot().messages;
  render(
    <ChatProvider client={ana}>
      <Composer conversationId={id} replyTo={replyTo} onDone={onDone} />
    </ChatProvider>,
  );
  const field = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  fireEvent.change(field, { target: { value: "これ" } });
  fireEvent.keyDown(field, { key: "Escape", isComposing: true });
  // In Safari the composition is over before its last Enter, which is told by its code alone.
  fireEvent.keyDown(field, { key: "Enter", keyCode: 229 });
  expect(onDone).not.toHaveBeenCalled();
  expect(field.value).toBe("これ");
  fireEvent.keyDown(field, { key: "Enter" });
  expect(onDone).toHaveBeenCalledOnce();
  expect(field.value).toBe("");
});

test("a list is not called empty while it is on its way", async () => {
  const fake = new FakeChat("team", "ana");
  render(
    <ChatProvider client={fake.client}>
      <ConversationList onSelect={() => {}} />
    </ChatProvider>,
  );
  expect(screen.getByText("No conversations yet")).toBeTruthy();
  act(() => {
    fake.show({ state: "online" });
    fake.enter("syncing");
  });
  expect(screen.getByText("Loading…")).toBeTruthy();
  act(() => fake.show({ state: "waiting" }));
  expect(screen.getByText("No conversations yet")).toBeTruthy();
  act(() => {
    fake.show({ state: "online" });
    fake.enter("live");
  });
  expect(screen.getByText("No conversations yet")).toBeTruthy();
});

test("the list is one stop of the tab key: the conversation that was reached last", async () => {
  const server = await serve();
  const { ana } = await pair(server);
  const cleo = await chatOf(server, "cleo");
  await ana.createDirect(cleo.userId);
  render(
    <ChatProvider client={ana}>
      <ConversationList onSelect={() => {}} />
    </ChatProvider>,
  );
  const items = await waitFor(() => {
    const found = screen.getAllByRole("button");
    expect(found).toHaveLength(2);
    return found;
  });
  const stops = () => items.map(({ tabIndex }) => tabIndex);
  expect(stops()).toEqual([0, -1]);
  items[0]?.focus();
  fireEvent.keyDown(items[0] as HTMLElement, { key: "ArrowDown" });
  expect(document.activeElement).toBe(items[1]);
  await waitFor(() => expect(stops()).toEqual([-1, 0]));
});

test("one menu at a time is open: Escape and a press elsewhere close it, and the focus goes back", async () => {
  const { ana, id } = await pair(await serve());
  for (const text of ["one", "two"]) await ana.acknowledged((await ana.send(id, text)).key ?? "");
  render(
    <ChatProvider client={ana}>
      <ChatInterface conversationId={id} />
    </ChatProvider>,
  );
  await screen.findByText("two", { selector: ".chatwire-text" });
  const openers = screen.getAllByRole("button", { name: "Message actions" }) as [HTMLElement, HTMLElement];
  const open = () => openers.map((opener) => opener.getAttribute("aria-expanded"));
  const press = (on: Element) => {
    fireEvent.pointerDown(on);
    fireEvent.click(on);
  };
  press(openers[0]);
  expect(open()).toEqual(["true", "false"]);
  press(openers[1]);
  expect(open()).toEqual(["false", "true"]);
  fireEvent.pointerDown(document.body);
  expect(open()).toEqual(["false", "false"]);
  press(openers[0]);
  act(() => screen.getByRole("textbox").focus());
  expect(open()).toEqual(["false", "false"]);
  press(openers[0]);
  fireEvent.keyDown(screen.getByRole("button", { name: "Delete" }), { key: "Escape" });
  expect(open()).toEqual(["false", "false"]);
  expect(document.activeElement).toBe(openers[0]);
});
