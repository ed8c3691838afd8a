import { memo, type ReactNode } from "react";
import type { Chat } from "../react/index.js";
import type { Message } from "../types.js";
import { MessageBubble, type MessageBubbleProps } from "./MessageBubble.js";
import { MessageMenu } from "./MessageMenu.js";
import { useStrings } from "./provider.js";

/** What a message offers, where its backend can do it. */
export type MessageAction = "react" | "reply" | "edit" | "remove";

/** What rows call; the same object as long as the list shows one conversation. */
export type RowCalls = Pick<Chat, "resend" | "discard" | "remove" | "react" | "unreact" | "fillGaps"> & {
  reply: (message: Message) => void;
  edit: (message: Message) => void;
  show: (rowKey: string) => void;
};

export type MessageRowProps = {
  message: Message;
  /** The day, where a new one begins. */
  day: string | null;
  name: string | null;
  /** Of a row of messages of one sender. */
  isFirst: boolean;
  /** Messages before this one are missing. */
  hasGap: boolean;
  /** May remove the messages of others. */
  isModerator: boolean;
  actions: readonly MessageAction[];
  calls: RowCalls;
  renderMessage: ((props: MessageBubbleProps) => ReactNode) | undefined;
};

// A message is the same object until it changes, so that only the row that changed is drawn again.
export const MessageRow = memo(function MessageRow(props: MessageRowProps): ReactNode {
  const { message, day, name, isFirst, hasGap, actions, calls, renderMessage } = props;
  const strings = useStrings();
  const { key, status, failure, deletedAt } = message;
  const isMine = message.sender === "me";
  const bubble = { message, name, onShowReplied: calls.show };
  return (
    <>
      {day && <p className="chatwire-day">{day}</p>}
      {hasGap && (
        <p className="chatwire-gap">
          {strings.gap}
          <button type="button" className="chatwire-quiet" onClick={() => calls.fillGaps()}>
            {strings.fillGap}
          </button>
        </p>
      )}
      <div
        className="chatwire-message"
        data-mine={isMine}
        data-first={isFirst}
        data-status={status}
        data-key={key ?? undefined}
        data-id={message.id ?? undefined}
      >
        <div className="chatwire-line">
          {renderMessage ? renderMessage(bubble) : <MessageBubble {...bubble} />}
          {!deletedAt && status !== "failed" && <MessageMenu {...props} />}
        </div>
        <Reactions message={message} calls={calls} canReact={actions.includes("react")} />
        {status === "failed" && key !== null && (
          <p className="chatwire-failed">
            <span>{strings.notSent(failure?.message ?? "")}</span>
            <button type="button" className="chatwire-quiet" onClick={() => calls.resend(key)}>
              {strings.resend}
            </button>
            <button type="button" className="chatwire-quiet" onClick={() => calls.discard(key)}>
              {strings.discard}
            </button>
          </p>
        )}
      </div>
    </>
  );
});

function Reactions(props: { message: Message; calls: RowCalls; canReact: boolean }): ReactNode {
  const { message, calls, canReact } = props;
  const strings = useStrings();
  if (message.reactions.length === 0 || message.deletedAt) return null;
  return (
    <p className="chatwire-reactions">
      {message.reactions.map(({ emoji, count, mine }) => (
        <button
          key={emoji}
          type="button"
          aria-pressed={mine}
          disabled={!canReact}
          onClick={() => (mine ? calls.unreact : calls.react)(message.rowKey, emoji)}
        >
          {strings.reaction(emoji, count)}
        </button>
      ))}
    </p>
  );
}
