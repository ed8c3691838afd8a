// A page with the components on it, as its address says: `login` (JSON), `part`, `id`, `theme`, `dir`.
import { createChat } from "chatwire";
import { ChatDebugPanel, ChatInterface, MessageBubble } from "chatwire/components";
import { ChatProvider, useChat } from "chatwire/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

const asked = Object.fromEntries(new URLSearchParams(location.search));
const { url, userId, token } = JSON.parse(asked.login);
document.documentElement.dir = asked.dir ?? "ltr";
document.documentElement.dataset.theme = asked.theme ?? "light";

// What is drawn, told by the key of each row.
globalThis.drawn = [];
function renderMessage(props) {
  globalThis.drawn.push(props.message.rowKey);
  return <MessageBubble {...props} />;
}

const chat = await createChat({
  url,
  userId,
  token,
  profile: "team",
  storage: "memory",
  wasm: "/chatwire_bg.wasm",
  limits: { maxWindowRows: 50_000, maxTextLength: 200 },
});
globalThis.chat = chat;
chat.connect();

/** The window that the list shows, for who wants more of it at once. */
function Handle() {
  globalThis.shown = useChat(asked.id);
  return null;
}

const parts = {
  chat: <ChatInterface />,
  conversation: (
    <>
      <Handle />
      <ChatInterface conversationId={asked.id} renderMessage={renderMessage} />
    </>
  ),
  debug: <ChatDebugPanel faultsUrl={asked.faults} />,
};
// The figures are those of an application as it is shipped: drawn once.
const Mode = asked.part === "conversation" ? ({ children }) => children : StrictMode;
createRoot(document.getElementById("root")).render(
  <Mode>
    <main>
      <h1>A chat</h1>
      <ChatProvider client={chat}>{parts[asked.part]}</ChatProvider>
    </main>
  </Mode>,
);
