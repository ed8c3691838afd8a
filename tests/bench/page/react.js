// W10: a list of rows as an application writes it, which counts what React does with it.
import { ChatProvider, useChat } from "chatwire/react";
import { createElement, memo, useEffect } from "react";
import { createRoot } from "react-dom/client";

/** Shows a conversation; gives `{seen, reset, stop}`: `seen(seq)` resolves when that message is shown, `stop` tells the counts. */
export function watchRows(chat, conversationId) {
  const counts = { commits: 0, rowsRendered: 0, frames: 0 };
  let last = 0;
  let look = () => {};

  const Row = memo(function Row({ message }) {
    counts.rowsRendered += 1;
    return createElement("li", null, message.text);
  });
  function Rows() {
    const { messages } = useChat(conversationId);
    useEffect(() => {
      counts.commits += 1;
      last = messages.at(-1)?.seq ?? 0;
      look();
    });
    const rows = messages.map((message) => createElement(Row, { key: message.rowKey, message }));
    return createElement("ol", null, ...rows);
  }

  const root = createRoot(document.body.appendChild(document.createElement("main")));
  root.render(createElement(ChatProvider, { client: chat }, createElement(Rows)));
  let frame = requestAnimationFrame(function count() {
    counts.frames += 1;
    frame = requestAnimationFrame(count);
  });
  return {
    seen: (seq) =>
      new Promise((resolve) => {
        look = () => last >= seq && resolve();
        look();
      }),
    reset: () => Object.assign(counts, { commits: 0, rowsRendered: 0, frames: 0 }),
    stop() {
      cancelAnimationFrame(frame);
      const told = { ...counts };
      root.unmount();
      return told;
    },
  };
}
