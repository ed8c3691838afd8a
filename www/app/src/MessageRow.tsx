import type { Message } from "chatwire";
import { memo } from "react";
import { detailsOf } from "./details.js";
import { partsOf, timeOf } from "./format.js";
import { MessageDetails } from "./MessageDetails.js";
import { Ticks } from "./Ticks.js";

type Props = {
  message: Message;
  /** The day, where a new one begins. */
  day: string | null;
  /** The sender's name, where it is shown. */
  name: string | null;
  isFirst: boolean;
  onResend: (key: string) => void;
  onDiscard: (key: string) => void;
};

// A row is the same object until it changes, so that only what changed is drawn again.
export const MessageRow = memo(function MessageRow({
  message,
  day,
  name,
  isFirst,
  onResend,
  onDiscard,
}: Props) {
  const isMine = message.sender === "me";
  const { key, failure } = message;
  const details = message.deletedAt ? null : detailsOf(message);
  return (
    <li
      className={`message ${isMine ? "mine" : "theirs"} ${isFirst ? "first" : ""}`}
      data-testid="message"
      data-status={message.status}
      data-key={key ?? undefined}
      data-id={message.id ?? undefined}
      data-mine={isMine}
    >
      {day && <p className="day">{day}</p>}
      <div className="bubble">
        {name && <p className="name">{name}</p>}
        {message.deletedAt ? <p className="muted">Message deleted</p> : <Text text={message.text} />}
        {details && <MessageDetails details={details} />}
        <p className="meta">
          <time dateTime={message.createdAt}>{timeOf(message.createdAt)}</time>
          {!message.durable && isMine && <span title="Only in memory: gone after a reload">not stored</span>}
          {isMine && <Ticks status={message.status} />}
        </p>
      </div>
      {message.status === "failed" && key !== null && (
        <p className="failed" role="alert">
          <span>Not sent: {failure?.message ?? "unknown reason"}</span>
          <button type="button" className="quiet" data-testid="message-resend" onClick={() => onResend(key)}>
            Send again
          </button>
          <button
            type="button"
            className="quiet"
            data-testid="message-discard"
            onClick={() => onDiscard(key)}
          >
            Discard
          </button>
        </p>
      )}
    </li>
  );
});

function Text({ text }: { text: string }) {
  return (
    <p className="text" data-testid="message-text" dir="auto">
      {partsOf(text).map(({ text, href }, index) =>
        href === undefined ? (
          text
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text keep their places.
          <a key={index} href={href} target="_blank" rel="noopener noreferrer nofollow">
            {text}
          </a>
        ),
      )}
    </p>
  );
}
