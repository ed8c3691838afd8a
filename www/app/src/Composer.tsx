import type { Chat } from "chatwire/react";
import { type FormEvent, type KeyboardEvent, useId, useLayoutEffect, useRef } from "react";
import { type Drafts, useDraft } from "./drafts.js";

type Props = {
  conversationId: string;
  drafts: Drafts;
  maxLength: number;
  onSend: Chat["sendMessage"];
  onTyping: (typing: boolean) => void;
};

/** From here on the length is told. */
const warnPart = 0.9;
const maxHeightPx = 160;

/** Enter sends, Shift+Enter begins a line. Works offline as it does online: what is sent is stored first. */
export function Composer({ conversationId, drafts, maxLength, onSend, onTyping }: Props) {
  const { text, write, now } = useDraft(drafts, conversationId);
  const input = useRef<HTMLTextAreaElement>(null);
  const hintId = useId();
  const length = [...text].length;
  const canSend = text.trim() !== "" && length <= maxLength;
  useAutoHeight(input, text);

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (!canSend) return;
    write("");
    onTyping(false);
    input.current?.focus();
    // Refused: the words come back, unless others have been typed meanwhile.
    if (!(await onSend(text)) && now() === "") write(text);
  }

  function onKeyDown(event: KeyboardEvent) {
    // Enter also ends the composition of a character.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }

  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        ref={input}
        data-testid="composer-input"
        aria-label="Message"
        aria-describedby={hintId}
        placeholder="Message"
        rows={1}
        value={text}
        onChange={(event) => {
          write(event.target.value);
          onTyping(event.target.value !== "");
        }}
        onBlur={() => onTyping(false)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="primary" data-testid="composer-send" disabled={!canSend}>
        Send
      </button>
      <p id={hintId} className={length > maxLength ? "counter error-text" : "counter muted"} role="status">
        {length >= maxLength * warnPart && `${length} of ${maxLength} characters`}
      </p>
    </form>
  );
}

function useAutoHeight(input: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text.
  useLayoutEffect(() => {
    if (!input.current) return;
    input.current.style.height = "auto";
    input.current.style.height = `${Math.min(input.current.scrollHeight + 2, maxHeightPx)}px`;
  }, [text, input]);
}
