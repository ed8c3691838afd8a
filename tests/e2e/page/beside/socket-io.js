// What a tab does that knows nothing of the others: a socket of its own, the newest page of the history, and no store.
import { io } from "/socket.io-client/socket.io.esm.min.js";

const textOf = ({ content_encrypted: sealed }) => {
  return new TextDecoder().decode(Uint8Array.from(atob(sealed), (byte) => byte.charCodeAt(0)));
};

export async function open({ url, token, conversationId }) {
  const { origin, pathname } = new URL(url);
  const socket = io(origin, { path: `${pathname}/socket.io`, transports: ["websocket"], auth: { token } });
  const rows = [];
  const add = (row) => {
    rows.push(row);
    seen.texts.add(textOf(row));
  };
  socket.on("chat:message_received", add);
  await new Promise((resolve) => socket.once("connect", resolve));
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/api/messages/${conversationId}?limit=50`, { headers });
  for (const row of (await response.json()).messages) add(row);
}
