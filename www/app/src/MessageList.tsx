import type { Chat } from "chatwire/react";
import { type UIEvent, useEffect, useLayoutEffect, useRef } from "react";
import { dayOf, sameDay } from "./format.js";
import { MessageRow } from "./MessageRow.js";

type Props = { chat: Chat; nameOf: (userId: string) => string; showNames: boolean };

const nearBottomPx = 60;

export function MessageList({ chat, nameOf, showNames }: Props) {
  const { messages, hasEarlier, loading } = chat;
  const { ref, onScroll } = useKeptPlace(messages[0]?.rowKey, messages.at(-1)?.rowKey);

  return (
    <div className="messages" ref={ref} onScroll={onScroll}>
      {hasEarlier && (
        <button
          type="button"
          className="quiet earlier"
          data-testid="load-earlier"
          disabled={loading}
          onClick={() => chat.loadEarlier()}
        >
          {loading ? "Loading…" : "Load earlier messages"}
        </button>
      )}
      {messages.length === 0 && !loading && <p className="hint">Nothing here yet. Say hello.</p>}
      <ol role="log" aria-label="Messages">
        {messages.map((message, index) => {
          const before = messages[index - 1];
          const isNewDay = !before || !sameDay(before.createdAt, message.createdAt);
          const isFirst = isNewDay || before.senderId !== message.senderId;
          const name = showNames && isFirst && message.sender !== "me" ? nameOf(message.senderId) : null;
          return (
            <MessageRow
              key={message.rowKey}
              message={message}
              day={isNewDay ? dayOf(message.createdAt) : null}
              name={name}
              isFirst={isFirst}
              onResend={chat.resend}
              onDiscard={chat.discard}
            />
          );
        })}
      </ol>
    </div>
  );
}

/** Stays at the newest message for those who are there, and at what they read for those who are not. */
function useKeptPlace(first: string | undefined, last: string | undefined) {
  const ref = useRef<HTMLDivElement>(null);
  const place = useRef({ isAtEnd: true, height: 0, first });

  // biome-ignore lint/correctness/useExhaustiveDependencies: the place moves when rows come, at either end.
  useLayoutEffect(() => {
    const list = ref.current;
    if (!list) return;
    const { isAtEnd, height } = place.current;
    if (isAtEnd) list.scrollTop = list.scrollHeight;
    else if (place.current.first !== first) list.scrollTop += list.scrollHeight - height;
    place.current = { isAtEnd, height: list.scrollHeight, first };
  }, [first, last]);

  // A smaller window, a keyboard, a growing composer: the end stays in view for those who are there.
  useEffect(() => {
    const list = ref.current;
    if (!list) return;
    const observer = new ResizeObserver(() => {
      if (place.current.isAtEnd) list.scrollTop = list.scrollHeight;
    });
    observer.observe(list);
    return () => observer.disconnect();
  }, []);

  const onScroll = ({ currentTarget: list }: UIEvent) => {
    place.current.isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < nearBottomPx;
    place.current.height = list.scrollHeight;
  };
  return { ref, onScroll };
}
