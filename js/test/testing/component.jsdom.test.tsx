// A component of an application, tested as docs/guides/testing.md says it.
import { render, screen, waitFor } from "@testing-library/react";
import { useState } from "react";
import { expect, onTestFinished, test } from "vitest";
import { ChatProvider, useChat, useConnection } from "../../src/react/index.js";
import { createTestBackend } from "../../src/testing/index.js";
import "../../src/testing/vitest.js";

function Conversation({ id }: { id: string }) {
  const { messages, sendMessage, resend } = useChat(id);
  const { isConnected } = useConnection();
  const [text, setText] = useState("");
  return (
    <div>
      <output>{isConnected ? "online" : "offline"}</output>
      <ul>
        {messages.map((message) => (
          <li key={message.rowKey}>
            {message.text}: {message.status}
            {message.status === "failed" && (
              <button type="button" onClick={() => resend(message.key ?? "")}>
                Try again
              </button>
            )}
          </li>
        ))}
      </ul>
      <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
      <button type="button" onClick={() => void sendMessage(text)}>
        Send
      </button>
    </div>
  );
}

async function shown() {
  const backend = await createTestBackend();
  onTestFinished(() => backend.close());
  const id = backend.direct("ana", "ben");
  backend.user("ben").send(id, "hello");
  render(
    <ChatProvider options={backend.optionsFor("ana")}>
      <Conversation id={id} />
    </ChatProvider>,
  );
  await screen.findByText(/^hello/);
  const write = async (text: string) => {
    const { fireEvent } = await import("@testing-library/react");
    fireEvent.change(screen.getByLabelText("Message"), { target: { value: text } });
    fireEvent.click(screen.getByText("Send"));
  };
  return { backend, id, write };
}

test("what is written reaches the backend once, and what others say is shown", async () => {
  const { backend, id, write } = await shown();
  await write("hi Ben");
  await screen.findByText("hi Ben: acknowledged");
  expect(backend).toHaveReceivedOnce({ senderId: "ana", text: "hi Ben" });
  backend.user("ben").send(id, "hi Ana");
  await screen.findByText(/^hi Ana/);
});

test("offline it is shown and kept, and sent when the network is back", async () => {
  const { backend, write } = await shown();
  backend.link.offline();
  await screen.findByText("offline");
  expect(navigator.onLine).toBe(false);
  await write("later");
  await screen.findByText("later: saved");
  expect(backend).not.toHaveReceived({ text: "later" });
  backend.link.online();
  expect(navigator.onLine).toBe(true);
  await screen.findByText("later: acknowledged");
  expect(backend).toHaveReceivedOnce({ text: "later" });
});

test("what the backend refuses can be tried again", async () => {
  const { backend, write } = await shown();
  backend.refuse("send", { code: "ForbiddenError" });
  await write("please");
  (await screen.findByText("Try again")).click();
  await waitFor(() => expect(backend).toHaveReceivedOnce({ text: "please" }));
});
