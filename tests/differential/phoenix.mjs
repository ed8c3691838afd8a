// Cases of Phoenix: frames beside the official serializer, in both directions.
//
// It is a client's, so of binary frames it writes what clients push and reads what servers send. What servers send is
// written here by the book and read by both; what clients push is written by both, to be the same bytes.
// npm phoenix 1.7.21 is left out: it writes UTF-16 units for bytes, and wrong frames where a name is not ASCII.
import { Serializer } from "phoenix";
import { difference, limits, untag, Values, written } from "./values.mjs";

const kinds = ["text", "text", "text", "reply", "reply", "push", "push", "binary reply", "broadcast"];
const utf8 = new TextEncoder();

function message(dice, kind) {
  const isBinary = !["text", "reply"].includes(kind);
  const name = () => (isBinary ? short(dice) : dice.text(24));
  const reference = () => (dice.chance(0.2) ? null : dice.chance(0.7) ? String(dice.below(1e6)) : name());
  const made = { join_ref: reference(), ref: reference(), topic: name(), event: name() };
  if (kind === "reply" || kind === "binary reply") made.event = "phx_reply";
  return made;
}

/** At most 255 bytes of UTF-8, sometimes all of them. The official reader drops a byte order mark at the beginning. */
function short(dice) {
  let text = dice.text(40).replace(/^\ufeff+/, "");
  while (utf8.encode(text).length > 255) text = [...text].slice(0, -1).join("");
  return dice.chance(0.03) ? text + "x".repeat(255 - utf8.encode(text).length) : text;
}

/** What the official serializer writes, and what it reads, is read here. */
export const read = {
  make(dice) {
    const kind = dice.from(kinds);
    const wanted = message(dice, kind);
    if (kind === "text" || kind === "reply") {
      const values = new Values(dice, { levels: limits.depth - 1 });
      if (kind === "text") wanted.payload = values.any() ?? {};
      else
        wanted.payload = {
          status: dice.text(),
          response: new Values(dice, { levels: limits.depth - 2 }).any(),
        };
      const text = Serializer.encode(wanted, (frame) => frame);
      return { order: { do: "read phoenix", text }, wanted, kind };
    }
    const data = dice.buffer();
    const bytes = serversFrame(kind, wanted, dice.text(8), data);
    // The official reader's word for it, not the writer's.
    const read = Serializer.decode(new Uint8Array(bytes).buffer, (frame) => frame);
    return { order: { do: "read phoenix", binary: bytes.toString("base64") }, wanted: read, kind };
  },
  check(answer, { wanted }) {
    const { payload: text, status, ...found } = answer;
    const payload = untag(JSON.parse(text));
    found.payload = status === null ? payload : { status, response: payload };
    // Without a ref the sizes are zero; the official reader gives an empty text then.
    const isBinary = Buffer.isBuffer(payload);
    const given = (ref) => (isBinary && ref === "" ? null : ref);
    return difference(found, {
      ...wanted,
      join_ref: given(wanted.join_ref),
      ref: given(wanted.ref),
      payload: isBinary ? ofArrayBuffers(wanted.payload) : wanted.payload,
    });
  },
};

function ofArrayBuffers(payload) {
  if (payload instanceof ArrayBuffer) return Buffer.from(payload);
  return { status: payload.status, response: Buffer.from(payload.response) };
}

/** Kind, sizes, names, data: a push has no ref, a broadcast neither, and a reply has its status for an event. */
function serversFrame(kind, { join_ref, ref, topic, event }, status, data) {
  const [number, names] = {
    push: [0, [join_ref, topic, event]],
    "binary reply": [1, [join_ref, ref, topic, status]],
    broadcast: [2, [topic, event]],
  }[kind];
  const parts = names.map((name) => Buffer.from((name ?? "").replace(/^\ufeff+/, "")));
  return Buffer.concat([Buffer.from([number, ...parts.map((part) => part.length)]), ...parts, data]);
}

/** What is written here the official serializer reads, or writes the same. */
export const write = {
  make(dice) {
    const kind = dice.from(["text", "text", "push"]);
    const wanted = message(dice, kind);
    const order = { do: "write phoenix", ...wanted };
    if (kind === "push") {
      // A push without refs is sent by nobody.
      for (const ref of ["join_ref", "ref"]) order[ref] = wanted[ref] ??= "1";
      wanted.payload = dice.buffer();
      order.binary = wanted.payload.toString("base64");
    } else {
      wanted.payload = new Values(dice, { levels: limits.depth - 1 }).any();
      order.payload = written(dice, wanted.payload);
    }
    return { order, wanted, kind };
  },
  check({ text, binary }, { wanted, kind }) {
    if (kind === "text") {
      return difference(
        Serializer.decode(text, (frame) => frame),
        wanted,
        { zeros: "have signs" },
      );
    }
    const payload = new Uint8Array(wanted.payload).buffer;
    const bytes = Serializer.encode({ ...wanted, payload }, (frame) => frame);
    return difference(Buffer.from(binary, "base64"), Buffer.from(bytes));
  },
};
