import { useVirtualizer, type VirtualItem, type Virtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { type Chat, useChat, useChatClient } from "../react/index.js";
import type { Message } from "../types.js";
import type { MessageBubbleProps } from "./MessageBubble.js";
import { type MessageAction, MessageRow, type RowCalls } from "./MessageRow.js";
import { useNames, useStrings } from "./provider.js";
import { useConversation } from "./use-conversation.js";

/** Props of `MessageList`. */
export type MessageListProps = {
  conversationId: string;
  /** What messages offer: by default all that is there. A backend that lacks one refuses it. */
  actions?: readonly MessageAction[] | undefined;
  /** Called when somebody wants to answer a message; without it none offers that. So with `onEdit`. */
  onReply?: ((message: Message) => void) | undefined;
  onEdit?: ((message: Message) => void) | undefined;
  /** In place of `<MessageBubble {...props} />`. A function that stays the same draws no row anew. */
  renderMessage?: ((props: MessageBubbleProps) => ReactNode) | undefined;
};

const allActions: readonly MessageAction[] = ["react", "reply", "edit", "remove"];
/** So near an end of the window more is asked for. */
const nearPx = 400;
/** So near the end one stands at it. */
const endPx = 60;
/** Room for the button above the first row. */
const headPx = 56;

/**
 * The messages of a conversation, of which only those in view are drawn. It keeps its place when earlier ones come, and
 * follows the newest while the reader is there; what is seen is marked as read.
 */
export function MessageList(props: MessageListProps): ReactNode {
  return <List key={props.conversationId} {...props} />;
}

function List(props: MessageListProps): ReactNode {
  const { conversationId, renderMessage } = props;
  const strings = useStrings();
  const chat = useChat(conversationId);
  const conversation = useConversation(conversationId);
  const nameOf = useNames(conversation);
  const { messages, gaps } = chat;
  const scroller = useRef<HTMLDivElement>(null);
  const list = useWindow(chat, scroller);
  const { calls, actions } = useCalls(props, chat, list.show);
  const isGroup = conversation?.kind === "group";
  const isModerator = isGroup && conversation.myRole !== "member";
  const last = messages.at(-1);
  useMarkRead(list.isAtEnd ? messages.findLast(({ sender }) => sender !== "me") : undefined, chat);

  return (
    <div className="chatwire chatwire-messages">
      {/* biome-ignore-start lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard. */}
      {/* biome-ignore lint/a11y/useSemanticElements: no fieldset. */}
      <div
        className="chatwire-scroller"
        ref={scroller}
        onScroll={list.onScroll}
        tabIndex={0}
        role="group"
        aria-label={strings.messages}
      >
        {/* biome-ignore-end lint/a11y/noNoninteractiveTabindex: as above */}
        {chat.hasEarlier && (
          <button
            type="button"
            className="chatwire-quiet chatwire-earlier"
            disabled={chat.loading}
            onClick={() => chat.loadEarlier()}
          >
            {chat.loading ? strings.loading : strings.loadEarlier}
          </button>
        )}
        {!last && !chat.loading && <p className="chatwire-hint">{strings.noMessages}</p>}
        <ol ref={list.virtualizer.containerRef} className="chatwire-rows">
          {list.virtualizer.getVirtualItems().map(({ key, index }) => {
            const message = messages[index];
            if (!message) return null;
            const before = messages[index - 1];
            const isNewDay = !before || dayOf(before) !== dayOf(message);
            const isFirst = isNewDay || before.senderId !== message.senderId;
            return (
              <li key={key} ref={list.virtualizer.measureElement} data-index={index} className="chatwire-row">
                <MessageRow
                  message={message}
                  day={isNewDay ? strings.day(new Date(message.createdAt)) : null}
                  name={isGroup && isFirst && message.sender !== "me" ? nameOf(message.senderId) : null}
                  isFirst={isFirst}
                  hasGap={gaps.includes(message.rowKey)}
                  isModerator={isModerator}
                  actions={actions}
                  calls={calls}
                  renderMessage={renderMessage}
                />
              </li>
            );
          })}
        </ol>
      </div>
      {!list.isAtEnd && (
        <button type="button" className="chatwire-newest" onClick={list.toEnd}>
          {list.unseen > 0 ? strings.newMessages(list.unseen) : strings.toNewest}
        </button>
      )}
      <Announcer last={last} name={last ? nameOf(last.senderId) : ""} isLive={chat.phase === "live"} />
    </div>
  );
}

/** Which rows are drawn, and where the reader is. */
function useWindow(chat: Chat, scroller: React.RefObject<HTMLDivElement | null>) {
  const { messages, hasLater } = chat;
  // The row that was the newest when the reader left the end; null: there.
  const [leftAt, setLeftAt] = useState<string | null>(null);
  const hadLater = useRef(hasLater);
  const virtualizer = useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 64,
    getItemKey: (index) => messages[index]?.rowKey ?? index,
    anchorTo: "end",
    followOnAppend: !hadLater.current,
    scrollEndThreshold: endPx,
    paddingStart: headPx,
    overscan: 6,
    directDomUpdates: true,
    directDomUpdatesMode: "position",
  });
  virtualizer.shouldAdjustScrollPositionOnItemSizeChange = standsAbove;
  useLayoutEffect(() => virtualizer.scrollToEnd(), [virtualizer]);
  useLayoutEffect(() => {
    hadLater.current = hasLater;
  });
  const isAtEnd = leftAt === null && !hasLater;
  useEndInView(scroller, isAtEnd, virtualizer.scrollToEnd);

  function onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = scroller.current as HTMLDivElement;
    // Of the element: the virtualizer hears of this event later.
    const toEnd = scrollHeight - scrollTop - clientHeight;
    setLeftAt((before) => (toEnd <= endPx ? null : (before ?? messages.at(-1)?.rowKey ?? null)));
    if (chat.loading) return;
    if (scrollTop < nearPx && chat.hasEarlier) chat.loadEarlier();
    else if (toEnd < nearPx && hasLater) chat.loadLater();
  }

  async function toEnd(): Promise<void> {
    if (hasLater) await chat.toNewest();
    setLeftAt(null);
    requestAnimationFrame(() => virtualizer.scrollToEnd());
  }

  /** Once it is among the rows. */
  const wanted = useRef<string | null>(null);
  useEffect(() => {
    const index = messages.findIndex(({ rowKey }) => rowKey === wanted.current);
    if (index < 0) return;
    wanted.current = null;
    virtualizer.scrollToIndex(index, { align: "center" });
  }, [messages, virtualizer]);
  const latest = useRef(messages);
  useEffect(() => {
    latest.current = messages;
  });
  const { jumpTo } = chat;
  const show = useMemo(
    () => (rowKey: string) => {
      const index = latest.current.findIndex((message) => message.rowKey === rowKey);
      if (index >= 0) return virtualizer.scrollToIndex(index, { align: "center" });
      wanted.current = rowKey;
      jumpTo(rowKey);
    },
    [virtualizer, jumpTo],
  );

  // Whoever writes wants to see it.
  const last = messages.at(-1);
  const ownNew = last?.sender === "me" && onItsWay.has(last.status) ? last.rowKey : undefined;
  useLayoutEffect(() => {
    if (ownNew !== undefined) virtualizer.scrollToEnd();
  }, [ownNew, virtualizer]);

  const left = leftAt === null ? -1 : messages.findLastIndex(({ rowKey }) => rowKey === leftAt);
  const unseen = left < 0 ? 0 : messages.length - 1 - left;
  return { virtualizer, onScroll, toEnd, show, isAtEnd, unseen };
}

/** It may be saved before it is drawn for the first time. */
const onItsWay: ReadonlySet<string> = new Set(["saving", "saved", "sent"]);

/** What grows or shrinks above the reader moves nothing: also on the way up, where a row loses its day to an earlier one. */
function standsAbove(item: VirtualItem, _delta: number, list: Virtualizer<HTMLDivElement, Element>): boolean {
  const isMeasured = list.itemSizeCache.has(item.key);
  return (isMeasured ? item.end : item.start + 1) <= (list.scrollOffset ?? 0);
}

/** A smaller window, a keyboard, a growing composer: the end stays in view for those who are there. */
function useEndInView(
  scroller: React.RefObject<HTMLDivElement | null>,
  isAtEnd: boolean,
  scrollToEnd: () => void,
): void {
  useEffect(() => {
    // Where there is none (a test without a browser) nothing has a size either.
    if (!isAtEnd || !scroller.current || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(() => scrollToEnd());
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [isAtEnd, scroller, scrollToEnd]);
}

function useCalls(props: MessageListProps, chat: Chat, show: (rowKey: string) => void) {
  const { onReply, onEdit, actions = allActions } = props;
  const { resend, discard, remove, react, unreact, fillGaps } = chat;
  const handlers = useRef({ onReply, onEdit });
  useEffect(() => {
    handlers.current = { onReply, onEdit };
  });
  const calls = useMemo<RowCalls>(
    () => ({
      ...{ resend, discard, remove, react, unreact, fillGaps, show },
      reply: (message) => handlers.current.onReply?.(message),
      edit: (message) => handlers.current.onEdit?.(message),
    }),
    [resend, discard, remove, react, unreact, fillGaps, show],
  );
  const [canReply, canEdit] = [onReply !== undefined, onEdit !== undefined];
  const offered = useMemo(
    () => actions.filter((action) => (action !== "reply" || canReply) && (action !== "edit" || canEdit)),
    [actions, canReply, canEdit],
  );
  return { calls, actions: offered };
}

/** What is at the end of a visible screen is read. */
function useMarkRead(newest: Message | undefined, { markRead }: Chat): void {
  const rowKey = newest?.rowKey;
  const client = useChatClient();
  useEffect(() => {
    if (rowKey === undefined || !client) return;
    const mark = () => {
      if (document.visibilityState === "visible") markRead(rowKey);
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => document.removeEventListener("visibilitychange", mark);
  }, [rowKey, markRead, client]);
}

type AnnouncerProps = { last: Message | undefined; name: string; isLive: boolean };

/** Reads out what comes from others, and what could not be sent. The rows themselves come and go as one scrolls. */
function Announcer({ last, name, isLive }: AnnouncerProps): ReactNode {
  const strings = useStrings();
  // The newest one when the conversation was opened: it is no news.
  const [opened, setOpened] = useState<string | null>();
  if (opened === undefined && isLive) setOpened(last?.rowKey ?? null);
  const isNews = last && opened !== undefined && last.rowKey !== opened && !last.deletedAt;
  const failed = last?.status === "failed" ? strings.notSent(last.failure?.message ?? "") : "";
  const said = last?.text || (last?.attachments.length ? strings.attachment : "");
  const told = last?.sender === "me" ? failed : strings.announce(name, said);
  return (
    <p className="chatwire-unseen" role="status">
      {isNews && told}
    </p>
  );
}

function dayOf({ createdAt }: Message): string {
  return new Date(createdAt).toDateString();
}
