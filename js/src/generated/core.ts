// Written by `CHATWIRE_WRITE_BINDINGS=1 cargo test -p chatwire bindings` from src/proto/api.rs and model.rs.
import type { Attachment, Json } from "../types.js";

export type Status = "saving" | "saved" | "sent" | "acknowledged" | "delivered" | "read" | "failed";

export type Sender = "me" | "user" | "ai" | "system";

export type ErrorCode = "validation" | "forbidden" | "notFound" | "conflict" | "tooLarge" | "rateLimited" | "auth" | "timeout" | "server" | "unconfirmed" | "poison" | "expired" | "outboxFull" | "storage" | "protocol" | "config" | "closed" | "cancelled" | "inFlight" | "unsupported";

export type Failure = { code: ErrorCode, message: string, retryable: boolean, };

export type ReplyTo = { rowKey: string, excerpt: string, };

export type Reaction = { emoji: string, count: number, mine: boolean, users: Array<string>, };

export type ChangeKind = "edit" | "remove" | "react" | "unreact";

export type QueuedChange = { kind: ChangeKind, rowKey: string, };

export type Message = { rowKey: string, id: string | null, key: string | null, conversationId: string, senderId: string, sender: Sender, type: string, text: string, metadata: Json, attachments: Attachment[], replyTo: ReplyTo | null, createdAt: string, seq: number | null, status: Status, failure: Failure | null, durable: boolean, readBy: Array<string>, reactions: Array<Reaction>, editedAt: string | null, deletedAt: string | null, change?: QueuedChange, };

export type ConversationKind = "direct" | "group" | "assistant";

export type Role = "admin" | "moderator" | "member";

export type Member = { userId: string, name: string, role: Role, };

export type Phase = "restored" | "syncing" | "live";

export type Conversation = { id: string, kind: ConversationKind, title: string, avatarUrl: string | null, members: Array<Member>, lastMessage: Message | null, unread: number, mentions: number, draft: string, archived: boolean, pinned: boolean, mutedUntil: string | null, blocked: boolean, myRole: Role, phase: Phase, cursor: string | null, };

export type ConnectionState = "idle" | "connecting" | "authenticating" | "online" | "waiting" | "offline" | "closed" | "failed";

export type ConnectionSnapshot = { state: ConnectionState, reason: string | null, retryInMs: number | null, attempt: number, since: string, socketId: string | null, leader: boolean, };

export type Delivery = "exactly-once" | "once-or-unconfirmed" | "at-most-once";

export type Gaps = "filled" | "shown" | "unseen";

export type Guarantees = { delivery: Delivery, order: boolean, gaps: Gaps, receipts: boolean, because: Array<string>, };

export type Outcome = { "kind": "nothing" } | { "kind": "message", "value": Message } | { "kind": "messages", "value": Array<Message> } | { "kind": "conversation", "value": Conversation } | { "kind": "text", "value": string } | { "kind": "wire", "value": WireData };

export type WireData = { json: Json, attachments: string[], };

export type ViewUpdate = { view: number, conversationId: string, order: Array<number>, rows: Array<[number, Message]>, gaps: Array<number>, hasEarlier: boolean, hasLater: boolean, loading: boolean, error: Failure | null, phase: Phase, };

export type Event = { "type": "done", id: number, outcome: Outcome, } | { "type": "refused", id: number, error: Failure, } | { "type": "message", message: Message, live: boolean, leader: boolean, } | { "type": "messageUpdated", message: Message, } | { "type": "messageDeleted", conversationId: string, rowKey: string, } | { "type": "status", conversationId: string, rowKey: string, status: Status, failure: Failure | null, } | { "type": "typing", conversationId: string, userId: string, typing: boolean, } | { "type": "presence", userId: string, online: boolean, lastSeenMs: number | null, } | { "type": "reaction", conversationId: string, rowKey: string, } | { "type": "conversation", conversation: Conversation, } | { "type": "conversationRemoved", conversationId: string, } | { "type": "connection", connection: ConnectionSnapshot, } | { "type": "guarantees", guarantees: Guarantees, } | { "type": "phase", phase: Phase, } | { "type": "error", error: Failure, } | { "type": "authError", error: Failure, } | { "type": "protocolError", message: string, excerpt: string, } | { "type": "storageDegraded", message: string, persistent: boolean, } | { "type": "gap", conversationId: string, } | { "type": "leader", leader: boolean, } | { "type": "wire", event: string, topic: string, args: WireData, ackId: number | null, } | { "type": "view" } & ViewUpdate;
