import {
  type FormEvent,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useChat, useChatClient } from "../react/index.js";
import type { Message } from "../types.js";
import { useStrings } from "./provider.js";
import { useConversation } from "./use-conversation.js";

/** Props of `Composer`. */
export type ComposerProps = {
  conversationId: string;
  /** The message that the next one answers. */
  replyTo?: Message | null | undefined;
  /** The own message that is written anew. */
  editing?: Message | null | undefined;
  /** Called when the answer or the edit is sent, or given up. */
  onDone?: (() => void) | undefined;
};

/** From here on the length is told. */
const warnPart = 0.9;

/** Enter sends, Shift+Enter begins a line. It works offline as it does online; what is not sent is kept as a draft. */
export function Composer(props: ComposerProps): ReactNode {
  // What is typed belongs to its conversation, or to its edit.
  return <Form key={`${props.conversationId} ${props.editing?.rowKey ?? ""}`} {...props} />;
}

function Form({ conversationId, replyTo, editing, onDone }: ComposerProps): ReactNode {
  const strings = useStrings();
  const { sendMessage, setTyping, edit } = useChat(conversationId);
  const most = useChatClient()?.maxTextLength ?? Number.POSITIVE_INFINITY;
  const { text, write, giveBack, release } = useText(conversationId, editing);
  const input = useRef<HTMLTextAreaElement>(null);
  const hintId = useId();
  const length = [...text].length;
  const canSend = text.trim() !== "" && length <= most;
  const target = editing ? strings.editing : replyTo && strings.replyingTo(replyTo.text);
  useAutoHeight(input, text);
  useEffect(() => {
    if (target) input.current?.focus();
  }, [target]);

  async function submit(event?: FormEvent) {
    event?.preventDefault();
    if (!canSend) return;
    input.current?.focus();
    if (editing) edit(editing.rowKey, text);
    else {
      write("");
      setTyping(false);
      sendMessage({ text, replyTo: replyTo?.rowKey }).then((sent) => sent || giveBack(text));
    }
    onDone?.();
  }

  function onKeyDown(event: KeyboardEvent) {
    // These keys also end the composition of a character; in Safari it is over by then, and the code alone tells.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && target) onDone?.();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    submit();
  }

  return (
    <form className="chatwire chatwire-composer" onSubmit={submit}>
      {target && (
        <p className="chatwire-target">
          <span dir="auto">{target}</span>
          <button type="button" className="chatwire-quiet" onClick={onDone}>
            {strings.cancel}
          </button>
        </p>
      )}
      <textarea
        ref={input}
        aria-label={strings.message}
        aria-describedby={hintId}
        placeholder={strings.message}
        dir="auto"
        rows={1}
        value={text}
        onChange={(event) => {
          write(event.target.value);
          if (!editing) setTyping(event.target.value !== "");
        }}
        onBlur={() => {
          setTyping(false);
          release();
        }}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="chatwire-primary" disabled={!canSend}>
        {editing ? strings.save : strings.send}
      </button>
      <p id={hintId} className="chatwire-counter" data-over={length > most} role="status">
        {length >= most * warnPart && strings.length(length, most)}
      </p>
    </form>
  );
}

/** What stands in the field: one's own words while one writes, else the draft that the client keeps, of any tab. */
function useText(conversationId: string, editing: Message | null | undefined) {
  const client = useChatClient();
  const draft = useConversation(conversationId)?.draft ?? "";
  const [own, setOwn] = useState<string | null>(editing ? editing.text : null);
  const keep = (next: string) => {
    // A draft is a help: where it cannot be kept, the words stand in the field all the same.
    if (!editing) client?.setDraft(conversationId, next).catch(() => {});
  };
  const write = (next: string) => {
    setOwn(next);
    keep(next);
  };
  /** Refused: the words come back, unless others have been typed meanwhile. */
  const giveBack = (text: string) => {
    const now = client?.conversation(conversationId).getSnapshot()?.draft ?? "";
    if (now === "") keep(text);
    setOwn((current) => current || text);
  };
  const release = () => {
    if (!editing && own === draft) setOwn(null);
  };
  return { text: own ?? draft, write, giveBack, release };
}

function useAutoHeight(input: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text.
  useLayoutEffect(() => {
    if (!input.current) return;
    input.current.style.blockSize = "auto";
    input.current.style.blockSize = `${input.current.scrollHeight + 2}px`;
  }, [text, input]);
}
