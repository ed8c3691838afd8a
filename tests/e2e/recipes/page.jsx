// The recipes of docs/guides that are components, in one page: `?url=…&userId=…&token=…&other=…` says whose it is.

import { Field } from "recipe:offline.md:Field";
import { Outbox } from "recipe:offline.md:Outbox";
import { ChatProvider, useChatClient, useConnection, useConversations } from "chatwire/react";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

const { other, ...login } = Object.fromEntries(new URLSearchParams(location.search));
const options = {
  ...login,
  profile: "team",
  wasm: "/chatwire_bg.wasm",
  reconnect: { baseDelayMs: 100, maxDelayMs: 500 },
};

function Page() {
  const chat = useChatClient();
  const { state } = useConnection();
  const { conversations } = useConversations();
  useEffect(() => {
    globalThis.chat = chat;
    // Where there is no network, the store has it.
    chat?.connect().then(() => chat.createDirect(other));
  }, [chat]);
  return (
    <>
      <p role="status">{state}</p>
      {conversations.map((conversation) => (
        <Field key={conversation.id} conversation={conversation} />
      ))}
      <Outbox />
    </>
  );
}

createRoot(document.getElementById("root")).render(
  <ChatProvider options={options}>
    <Page />
  </ChatProvider>,
);
