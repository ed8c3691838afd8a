// On a server there is no window and nothing is connected: hooks give their empty state, and importing touches nothing.
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import { ChatDebugPanel, ChatInterface, ConversationList } from "../src/components/index.js";
import {
  ChatProvider,
  useChat,
  useChatClient,
  useConnection,
  useConversations,
  usePresence,
  useTyping,
  useWebSocket,
  useWebSocketStatus,
  WebSocketProvider,
} from "../src/react/index.js";
import { chatOf, optionsFor } from "./support.js";

const nowhere = { url: "http://127.0.0.1:9" };

function Everything() {
  const chat = useChat("c");
  const { state, isConnected } = useConnection();
  const { conversations, unread } = useConversations();
  const client = useChatClient();
  const others = {
    typing: useTyping("c"),
    presence: usePresence("ben"),
    socket: useWebSocket(),
    status: useWebSocketStatus(),
  };
  return (
    <pre>
      {JSON.stringify({
        chat,
        state,
        isConnected,
        conversations,
        unread,
        hasClient: client !== null,
        others,
      })}
    </pre>
  );
}

function stateIn(html: string): unknown {
  return JSON.parse(html.replace(/<[^>]+>/g, "").replaceAll("&quot;", '"'));
}

const empty = {
  chat: {
    messages: [],
    isConnected: false,
    isTyping: false,
    typingUsers: [],
    error: null,
    errorDetail: null,
    context: null,
    status: "idle",
    phase: "restored",
    hasEarlier: false,
    hasLater: false,
    gaps: [],
    loading: true,
  },
  state: "idle",
  isConnected: false,
  conversations: [],
  unread: 0,
  hasClient: false,
  others: {
    typing: { typingUsers: [], isTyping: false },
    presence: { isOnline: false, lastSeen: null },
    socket: { isConnected: false, socketId: null },
    status: { isConnected: false, socketId: null },
  },
};

test("rendered on a server, a provider with options makes no client", () => {
  expect(typeof window).toBe("undefined");
  const html = renderToString(
    <ChatProvider options={optionsFor(nowhere, "ana")}>
      <Everything />
    </ChatProvider>,
  );
  expect(stateIn(html)).toEqual(empty);
});

test("a provider with a login makes none either, and one without a login shows the same", () => {
  for (const userId of ["ana", null]) {
    const html = renderToString(
      <WebSocketProvider url={nowhere.url} userId={userId} token="t">
        <Everything />
      </WebSocketProvider>,
    );
    expect(stateIn(html)).toEqual(empty);
  }
});

test("without a provider the hooks give their empty state", () => {
  expect(stateIn(renderToString(<Everything />))).toEqual(empty);
});

test("a client of the application's own is shown empty, so that the browser can take over", async () => {
  const client = await chatOf(nowhere, "ana");
  const html = renderToString(
    <ChatProvider client={client}>
      <Everything />
    </ChatProvider>,
  );
  expect(stateIn(html)).toEqual({ ...empty, hasClient: true });
});

test("the components are rendered on a server, empty and without style attributes, which a policy may forbid", async () => {
  const client = await chatOf(nowhere, "ana");
  const html = renderToString(
    <ChatProvider client={client}>
      <ChatInterface conversationId="c" strings={{ send: "Senden" }} />
      <ChatInterface />
      <ConversationList onSelect={() => {}} />
      <ChatDebugPanel />
    </ChatProvider>,
  );
  expect(html).toContain("Senden");
  expect(html).toContain("Choose a conversation");
  expect(html).not.toContain("<li");
  expect(html.match(/<[^>]* style="/)).toBeNull();
});
