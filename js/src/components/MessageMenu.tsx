import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { MessageRowProps } from "./MessageRow.js";
import { useStrings } from "./provider.js";

const emojis = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** A button that opens what can be done with the message. */
export function MessageMenu({ message, actions, isModerator, calls }: MessageRowProps): ReactNode {
  const strings = useStrings();
  const [isOpen, setIsOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  useOutside(menu, isOpen, setIsOpen);
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
    <div ref={menu} className="chatwire-menu" onKeyDown={onKeyDown}>
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

/** A press or the focus elsewhere closes it, and with it any other menu is closed before the next one opens. */
function useOutside(
  menu: React.RefObject<HTMLDivElement | null>,
  isOpen: boolean,
  setIsOpen: (isOpen: boolean) => void,
): void {
  useEffect(() => {
    if (!isOpen) return;
    const look = ({ target }: Event) => {
      if (!menu.current?.contains(target as Node)) setIsOpen(false);
    };
    document.addEventListener("pointerdown", look);
    document.addEventListener("focusin", look);
    return () => {
      document.removeEventListener("pointerdown", look);
      document.removeEventListener("focusin", look);
    };
  }, [menu, isOpen, setIsOpen]);
}
