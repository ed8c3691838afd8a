// Somebody who writes thousands of messages quickly: the official client with hundreds of sends under way, which the
// backend commits together.
import { connected, rest, sealed } from "@chatwire/test-servers/client";

const underWay = 400;
const filler =
  "Lunch at the usual place at half past twelve, or shall we wait for the others to come back first?";

/** What the backend has to be started with, so that one user may write so fast. */
export const fastWrites = ["--rate-per-s", "1000000", "--rate-burst", "1000000"];

/** The text of the `n`th message of its conversation, with the place that it has there. */
const textOf = (n) => `${n} ${filler}`;
export const placeOf = (text) => Number(text.split(" ", 1)[0]);

export class Writer {
  /** How many messages each conversation has. */
  #counts = new Map();

  static async arrive(server, name) {
    const writer = new Writer();
    writer.server = server;
    writer.login = await server.login(name);
    writer.rest = rest(server.url, writer.login.token);
    return writer;
  }

  /** New groups with one other member. */
  async rooms(memberId, count) {
    const ids = [];
    for (let i = 1; i <= count; i++) {
      const body = { title: `room ${i}`, participant_ids: [memberId] };
      const answer = await this.rest("POST", "/api/conversations/group", body);
      if (answer.status >= 300) throw new Error(`no group: ${JSON.stringify(answer.body)}`);
      ids.push(answer.body.conversation.id);
    }
    return ids;
  }

  /** `count` more messages into each of these, taking turns; resolves when the backend has stored them all. */
  async write(ids, count) {
    const client = await connected(this.server.url, this.login.token);
    try {
      const waiting = [];
      for (let i = 0; i < count; i++) {
        for (const id of ids) {
          waiting.push(this.#send(client, id));
          if (waiting.length >= underWay) await waiting.shift();
        }
      }
      await Promise.all(waiting);
    } finally {
      client.close();
    }
  }

  async #send(client, conversationId) {
    const n = (this.#counts.get(conversationId) ?? 0) + 1;
    this.#counts.set(conversationId, n);
    const message = { conversationId, contentEncrypted: sealed(textOf(n)) };
    const { success, error } = await client.ask("chat:message_send", message);
    if (!success) throw new Error(`message ${n} was refused: ${JSON.stringify(error)}`);
  }
}
