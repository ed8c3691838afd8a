import type { ReactNode } from "react";
import type { Attachment, Message } from "../types.js";
import { LinkedText, webAddress } from "./linked-text.js";
import { useStrings } from "./provider.js";
import { Ticks } from "./Ticks.js";

/** Props of `MessageBubble`. */
export type MessageBubbleProps = {
  message: Message;
  /** The sender's name, where it is shown. */
  name?: string | null | undefined;
  /** Brings the message that this one answers into view. */
  onShowReplied?: ((rowKey: string) => void) | undefined;
  /** Shown below the text. */
  children?: ReactNode;
};

/** One message: its text, never HTML; what it answers, what is attached, when, and how far it is. */
export function MessageBubble({ message, name, onShowReplied, children }: MessageBubbleProps): ReactNode {
  const strings = useStrings();
  const { replyTo, deletedAt, editedAt, createdAt, status } = message;
  const isMine = message.sender === "me";
  return (
    <div className="chatwire-bubble">
      {name && <p className="chatwire-name">{name}</p>}
      {deletedAt ? (
        <p className="chatwire-tombstone">{strings.deleted}</p>
      ) : (
        <>
          {replyTo && (
            <button
              type="button"
              className="chatwire-quote"
              dir="auto"
              disabled={!onShowReplied}
              onClick={() => onShowReplied?.(replyTo.rowKey)}
            >
              {replyTo.excerpt || strings.message}
            </button>
          )}
          {message.text !== "" && (
            <p className="chatwire-text" dir="auto">
              <LinkedText text={message.text} />
            </p>
          )}
          {message.attachments.map((attachment, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the attachments of one message keep their places.
            <Attached key={index} attachment={attachment} />
          ))}
          {children}
        </>
      )}
      <p className="chatwire-meta">
        {editedAt && !deletedAt && <span>{strings.edited}</span>}
        <time dateTime={createdAt}>{strings.time(new Date(createdAt))}</time>
        {isMine && !message.durable && <span>{strings.onlyInMemory}</span>}
        {isMine && <Ticks status={status} />}
      </p>
    </div>
  );
}

/** A picture, or a link; nothing where its address is none that may be opened. */
function Attached({ attachment: { type, url, name } }: { attachment: Attachment }): ReactNode {
  const strings = useStrings();
  const href = webAddress(url);
  if (href === null) return null;
  const text = typeof name === "string" && name !== "" ? name : strings.attachment;
  if (type === "image") return <img className="chatwire-image" src={href} alt={text} />;
  return (
    <p>
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {text}
      </a>
    </p>
  );
}
