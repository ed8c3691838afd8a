// The names of the backend, for the contenders that are written by hand.
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** @returns `{id, conversationId, senderId, text, createdAt, seq, key}` */
export function messageOf(row) {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    senderId: row.sender_id,
    text: decoder.decode(Uint8Array.fromBase64(row.content_encrypted)),
    createdAt: row.created_at,
    seq: row.seq,
    key: row.client_message_id ?? null,
  };
}

/** The payload of a send. */
export function sendOf({ conversationId, text, key }) {
  return { conversationId, contentEncrypted: encoder.encode(text).toBase64(), clientMessageId: key };
}

export class Api {
  constructor({ url, userId }) {
    this.url = url;
    this.headers = { authorization: `Bearer ${userId}` };
  }

  /** All conversations: `{id, title, lastSeq, unread}`. */
  async conversations() {
    const all = [];
    for (let more = true; more; ) {
      const page = await this.#get(`/api/conversations?limit=100&offset=${all.length}`);
      for (const row of page.conversations) {
        all.push({ id: row.id, title: row.title, lastSeq: row.last_seq, unread: row.unread_count });
      }
      more = page.has_more;
    }
    return all;
  }

  /** Gives every page of what comes after `seq` to `take`, oldest first. */
  async after(id, seq, take) {
    for (let more = true; more; ) {
      const page = await this.#get(`/api/messages/${id}?limit=500&after=${seq}`);
      const messages = page.messages.map(messageOf);
      take(messages);
      seq = messages.at(-1)?.seq ?? seq;
      more = page.has_more;
    }
  }

  async #get(path) {
    const response = await fetch(`${this.url}${path}`, { headers: this.headers });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }
}

/** Calls `act` for each, so many at a time. */
export async function parallel(items, count, act) {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
