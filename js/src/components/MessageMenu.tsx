import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import type { MessageRowProps } from "./MessageRow.js";
import { useStrings } from "./provider.js";

const emojis = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** A button that opens what can be done with the message. */
export function MessageMenu({ message, actions, isModerator, calls }: MessageRowProps): ReactNode {
  const strings = useStrings();
  const [isOpen, setIsOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const isMine = message.sender === "me";
  const can = {
    react: actions.includes("react"),
    reply: actions.includes("reply"),
    edit: actions.includes("edit") && isMine && message.type === "text",
    remove: actions.includes("remove") && (isMine || isModerator),
  };
  if (!Object.values(can).includes(true)) return null;

  function close() {
    setIsOpen(false);
    opener.current?.focus();
  }

  function item(label: string, act: () => void, text = label) {
    const run = () => {
      close();
      act();
    };
    return (
      <button key={label} type="button" className="chatwire-quiet" aria-label={label} onClick={run}>
        {text}
      </button>
    );
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Escape" && isOpen) close();
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape is heard from the buttons in it.
    <div className="chatwire-menu" onKeyDown={onKeyDown}>
      <button
        ref={opener}
        type="button"
        className="chatwire-more"
        aria-label={strings.actions}
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
      >
        <span aria-hidden="true">⋯</span>
      </button>
      {isOpen && (
        <div className="chatwire-actions">
          {can.react &&
            emojis.map((emoji) =>
              item(strings.react(emoji), () => calls.react(message.rowKey, emoji), emoji),
            )}
          {can.reply && item(strings.reply, () => calls.reply(message))}
          {can.edit && item(strings.edit, () => calls.edit(message))}
          {can.remove && item(strings.remove, () => calls.remove(message.rowKey))}
        </div>
      )}
    </div>
  );
}
