// Profiles by declaration: what a backend calls its events and fields.
import { ChatError, check, describe } from "./errors.js";
import type { Capabilities, ChatOptions, Json } from "./types.js";
import type { WireValue } from "./wire.js";

/**
 * A payload by example. A text `"$name"` stands for a value, `"#name"` for the same as a number where it is a whole one; a
 * member whose value is absent is left out. `"$$"` and `"##"` begin a text with one of them;
 * anything else is sent as it stands. A list is several values of one event.
 */
export type PayloadTemplate = { readonly [name: string]: TemplateValue } | readonly TemplateValue[];
/**
 * What may stand in a payload.
 * @inline
 */
type TemplateValue =
  | string
  | number
  | boolean
  | null
  | { readonly [name: string]: TemplateValue }
  | readonly TemplateValue[];

/** An event that the client sends. Every payload may ask for `$userId`. */
export type CommandSpec = { event: string; payload?: PayloadTemplate | undefined };

/** What an event of the backend means, and what its fields are called; they default to what the comments say. */
export type EventSpec = {
  as:
    | "message"
    | "updated"
    | "deleted"
    | "delivered"
    | "read"
    | "status"
    | "typing"
    | "presence"
    | "reaction"
    | "conversation"
    /** With `framing: "json"`: the server has what was sent under `key`, and calls it `messageId`. */
    | "acknowledged"
    /** With `framing: "json"`: something went wrong, with what was sent under `key` if it names one. */
    | "failed";
  /** The field that holds it; by default the payload is it. */
  in?: string | undefined;
  /** `conversation_id`. A name stands for its camelCase spelling too. */
  conversationId?: string | undefined;
  /** `user_id`. Who types without it is the conversation's other side. */
  userId?: string | undefined;
  /** `message_id` */
  messageId?: string | undefined;
  /** `is_typing` */
  isTyping?: string | undefined;
  /** `status`: `sent`, `delivered` or `read`; of presence `online` or `offline`, or a boolean. */
  status?: string | undefined;
  emoji?: string | undefined;
  /** `op`: `add` or `remove`. */
  op?: string | undefined;
  /** `client_message_id`, of `acknowledged` and `failed`. */
  key?: string | undefined;
};

/** What the fields of a message are called. */
export type MessageSpec = {
  /** `id` */
  id?: string | undefined;
  /** `conversation_id` */
  conversationId?: string | undefined;
  /** `sender_id` */
  senderId?: string | undefined;
  /** `content` */
  text?: string | undefined;
  /** `type` */
  type?: string | undefined;
  /** `created_at`: ISO 8601, or milliseconds. */
  createdAt?: string | undefined;
  /** The sender's own key, where the backend keeps it. */
  key?: string | undefined;
  /** The address of a photo or video. */
  mediaUrl?: string | undefined;
  /** The text is base64 of UTF-8. */
  base64?: boolean | undefined;
  /** Where the sender is a word and no id: the word for this user. Whoever else speaks is the conversation's other side. */
  me?: string | undefined;
};

/** A backend, as {@link defineProfile} takes it. */
export type ProfileSpec = {
  /** Names the database with backend and user: a profile of another name starts with an empty one. */
  name: string;
  /**
   * What events are carried by. `phoenix`: Phoenix Channels; a conversation is a topic, and what comes there need not name
   * it. `json`: frames `{ type, payload, timestamp }`, whose `type` is the event (`auth`, `auth_ok`, `ping`, `pong`, `hello` and `error`
   * mean what they mean to the assistant's backend); no answer comes by its number, so a message is acknowledged by an
   * event, and edits and reactions are not to be had. Beside Socket.IO there is one value an event, and no `auth`: the token goes as `tokenIn` says.
   */
  framing?: "socket.io" | "phoenix" | "json" | undefined;
  /** With `framing: "phoenix"`: `user:$userId` and `conversation:$conversationId`, which must be the end of its topic. */
  topics?: { user?: string | undefined; conversation?: string | undefined } | undefined;
  /** What the backend gives; nothing by default. A hello or `createChat({ capabilities })` may say more. */
  capabilities?: Capabilities | undefined;
  /** What CONNECT says, of `$token` and `$userId`; by default `{ token: "$token" }`. */
  auth?: PayloadTemplate | undefined;
  reconnect?: ChatOptions["reconnect"];
  /**
   * `listed`: conversations are listed and have a history over REST, as with `team`. Else any id is a conversation's, each of
   * this kind (`direct`), and what is missed stays unseen.
   */
  conversations?: "direct" | "group" | "listed" | undefined;
  /** The server's id of a message is the key that it was sent with. */
  keysAreIds?: boolean | undefined;
  /**
   * How it is said. `send`: `$conversationId`, `$key`, `$text`, `$type`, `$kind` (the type, unless it is `text`), `$metadata`,
   * `$replyTo`, `$createdAt`, `$createdAtMs`. `typing`: `$conversationId`, `$isTyping`. The others: `$conversationId`,
   * `$messageId`, and `$text` or `$emoji`. What is not named the backend does not have.
   */
  commands: { send: CommandSpec } & {
    [name in
      | "typing"
      | "delivered"
      | "read"
      | "edit"
      | "remove"
      | "react"
      | "unreact"
      | "online"
      | "offline"]?: CommandSpec | undefined;
  };
  message?: MessageSpec | undefined;
  /**
   * What an answer's fields are called: `success`, `data`, `error`. Given without `success`: whatever has no error is one.
   */
  answer?:
    | { success?: string | undefined; data?: string | undefined; error?: string | undefined }
    | undefined;
  /** Events by the backend's names; all others reach `chat.wire`. */
  events?: { [event: string]: EventSpec } | undefined;
  /**
   * Where declarations do not reach: given an event that `events` does not name, with its values, it returns the events that
   * it stands for, by names of `events`. Nothing: it is `chat.wire`'s. Called in the tab that has the socket.
   */
  receive?: ((event: string, ...values: WireValue[]) => Received | Received[] | null | undefined) | undefined;
  /**
   * The same for what goes out: given an event that `commands` declares, with its values, it returns what is sent instead; a
   * list as payload is several values. Nothing: as it is declared. What it throws is reported and keeps the event back: a
   * message becomes `failed('validation')`. It is called in the tab that has the socket, again with each attempt, and must
   * answer at once and call nothing of the chat.
   */
  send?: ((event: string, ...values: Json[]) => Sent | null | undefined) | undefined;
};

/** What an event stands for. */
export type Received = { event: string; payload: WireValue };

/** What goes out instead. */
export type Sent = { event: string; payload: Json };

declare const made: unique symbol;

/** A profile of one's own, for `createChat({ profile })`. */
export type Profile = Readonly<ProfileSpec> & { readonly [made]: true };

/**
 * A profile for a backend that none of the built-in ones speaks to. Whatever is wrong in it `createChat` refuses, with its
 * place; what is no object, or has a `receive` or `send` that is no function, is refused here.
 */
export function defineProfile(spec: ProfileSpec): Profile {
  check.fields("profile", spec, []);
  for (const name of ["receive", "send"] as const) {
    if (spec[name] === undefined || typeof spec[name] === "function") continue;
    throw new ChatError("config", `profile.${name}: got ${describe(spec[name])}, allowed: a function`);
  }
  return Object.freeze({ ...spec }) as Profile;
}
