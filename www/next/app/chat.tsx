"use client";

import type { ChatOptions } from "chatwire";
import { ChatProvider, useChat, useConnection, useConversations } from "chatwire/react";
import { type FormEvent, useState } from "react";
import { idOf, optionsOf } from "./backend";

/** What stands in the field of a form by this name; the field is empty afterwards. */
function taken(event: FormEvent<HTMLFormElement>, field: string): string {
  event.preventDefault();
  const text = String(new FormData(event.currentTarget).get(field)).trim();
  event.currentTarget.reset();
  return text;
}

export function Chat() {
  const [options, setOptions] = useState<ChatOptions>();
  const [error, setError] = useState<string>();

  if (options) {
    return (
      <ChatProvider options={options}>
        <Connection />
        <Conversations />
      </ChatProvider>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        optionsOf(taken(event, "name")).then(setOptions, (cause) => setError(String(cause)));
      }}
    >
      <input name="name" aria-label="Your name" placeholder="Your name" required />
      <button type="submit">Sign in</button>
      {error && <p role="alert">{error}</p>}
    </form>
  );
}

function Connection() {
  const { state } = useConnection();
  return <p role="status">{state}</p>;
}

function Conversations() {
  const { conversations, createDirect } = useConversations();
  const [open, setOpen] = useState<string>();
  const [error, setError] = useState<string>();

  const talkTo = async (name: string) => {
    try {
      const { id } = await createDirect(await idOf(name));
      setOpen(id);
    } catch (cause) {
      setError(String(cause));
    }
  };

  return (
    <>
      <form onSubmit={(event) => talkTo(taken(event, "with"))}>
        <input name="with" aria-label="Talk to" placeholder="Talk to" required />
        <button type="submit">Open</button>
        {error && <p role="alert">{error}</p>}
      </form>
      <nav>
        {conversations.map(({ id, title, unread }) => (
          <button type="button" key={id} aria-current={id === open} onClick={() => setOpen(id)}>
            {title} {unread > 0 && `(${unread})`}
          </button>
        ))}
      </nav>
      {open && <Conversation id={open} />}
    </>
  );
}

function Conversation({ id }: { id: string }) {
  const { messages, sendMessage, hasEarlier, loadEarlier, isTyping, setTyping, error } = useChat(id);

  return (
    <section>
      {hasEarlier && (
        <button type="button" onClick={() => loadEarlier()}>
          Earlier
        </button>
      )}
      <ul>
        {messages.map(({ rowKey, sender, text, status }) => (
          <li key={rowKey} data-status={status}>
            {sender === "me" ? "I" : "they"}: {text} <small>{status}</small>
          </li>
        ))}
      </ul>
      {isTyping && <p>typing…</p>}
      {error && <p role="alert">{error}</p>}
      <form onSubmit={(event) => sendMessage(taken(event, "text"))}>
        <input
          name="text"
          aria-label="Message"
          placeholder="Message"
          autoComplete="off"
          onChange={() => setTyping(true)}
        />
        <button type="submit">Send</button>
      </form>
    </section>
  );
}
