// What a test finds in its page: whether there is a network, and React, which warns of changes outside of `act`.
import "../react/layout.js";
import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, onTestFinished, test, vi } from "vitest";
import { ChatInterface } from "../../src/components/index.js";
import { ChatProvider } from "../../src/react/index.js";
import { createTestBackend } from "../../src/testing/index.js";
import "../../src/testing/vitest.js";

test("a link that is left offline", async () => {
  const backend = await createTestBackend();
  backend.link.offline();
  expect(navigator.onLine).toBe(false);
});

test("is online for the next test", () => {
  expect(navigator.onLine).toBe(true);
});

/** As Testing Library has it where the runner's functions are global. */
function warned() {
  const flagged = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean };
  flagged.IS_REACT_ACT_ENVIRONMENT = true;
  onTestFinished(() => void delete flagged.IS_REACT_ACT_ENVIRONMENT);
  return vi.spyOn(console, "error").mockImplementation(() => {});
}

test("React does not warn of what changes while the test waits for the backend, and it is shown then", async () => {
  const error = warned();
  const backend = await createTestBackend();
  const id = backend.direct("ana", "ben");
  const chat = await backend.connect("ana");
  render(
    <ChatProvider client={chat}>
      <ChatInterface conversationId={id} />
    </ChatProvider>,
  );
  await backend.settled();
  backend.user("ben").send(id, "hello");
  await backend.settled();
  screen.getByText("hello", { selector: ".chatwire-text" });
  fireEvent.change(screen.getByRole("textbox"), { target: { value: "hi" } });
  fireEvent.keyDown(screen.getByRole("textbox"), { key: "Enter" });
  await backend.settled();
  expect(backend).toHaveReceivedOnce({ text: "hi" });
  backend.link.offline();
  await backend.settled();
  const sent = await act(() => chat.send(id, "later"));
  backend.link.online();
  await expect(chat).toBeAcknowledged(sent);
  screen.getByText("later", { selector: ".chatwire-text" });
  await backend.close();
  expect(error.mock.calls.map(([text]) => text)).toEqual([]);
  expect(globalThis).toHaveProperty("IS_REACT_ACT_ENVIRONMENT", true);
});
