// Cases of Socket.IO: packets beside the official parser, in both directions.
import { Decoder, Encoder, PacketType } from "socket.io-parser";
import { difference, limits, untag, Values, written } from "./values.mjs";

const reserved = ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
const encoder = new Encoder();

/** A packet as the official parser knows it; data that has buffers makes it a binary one. */
function packet(dice, types) {
  const type = dice.from(types);
  const nsp = dice.chance(0.5) ? "/" : `/${dice.text(20).replaceAll(",", "")}`;
  const id =
    type === PacketType.ACK || (type === PacketType.EVENT && dice.chance(0.5)) ? ackId(dice) : undefined;
  return { type, nsp, id, ...dataOf(dice, type) };
}

function ackId(dice) {
  return dice.chance(0.1) ? dice.from([0, 9, 10, 2 ** 31, 2 ** 32, 2 ** 53 - 1]) : dice.below(100_000);
}

function dataOf(dice, type) {
  if (type === PacketType.DISCONNECT) return {};
  if (type === PacketType.CONNECT || type === PacketType.CONNECT_ERROR) {
    const values = new Values(dice);
    if (type === PacketType.CONNECT_ERROR && dice.chance(0.3)) return { data: dice.text() };
    return dice.chance(0.2) && type === PacketType.CONNECT ? {} : { data: values.object(limits.depth) };
  }
  const buffers = dice.chance(0.5) ? 0 : dice.chance(0.05) ? limits.attachments : 1 + dice.few(6);
  const values = new Values(dice, { buffers });
  const length = dice.chance(0.001) ? limits.elements - 1 : dice.few(5);
  const data = Array.from({ length }, () => values.any());
  // One at least comes up, and where there are to be as many as the limit has, all of them.
  const least = buffers === limits.attachments ? buffers : Math.min(buffers, 1);
  while (values.made < least && data.length < limits.elements - 1) data.push(values.any());
  if (type === PacketType.EVENT) data.unshift(eventName(dice));
  return { data };
}

function eventName(dice) {
  if (dice.chance(0.1)) return dice.number();
  const name = dice.text(20);
  return reserved.includes(name) ? "message" : name;
}

/** What the official encoder writes is read here. */
export const read = {
  make(dice) {
    const types = [PacketType.EVENT, PacketType.EVENT, PacketType.EVENT, PacketType.ACK, PacketType.ACK];
    const rare = [PacketType.CONNECT, PacketType.DISCONNECT, PacketType.CONNECT_ERROR];
    const wanted = packet(dice, [...types, ...rare]);
    const [text, ...binary] = encoder.encode(wanted);
    const order = { do: "read socket.io", text: `4${text}`, binary: binary.map((b) => b.toString("base64")) };
    return { order, wanted, kind: PacketType[Number(text[0])] };
  },
  check(answer, { wanted, order }) {
    const { type, ns, id = null, name = null, number = null, args, attachments = null, data = null } = answer;
    const found = { type, ns, id, data: data === null ? undefined : untag(JSON.parse(data)) };
    if (args) {
      found.data = args.map((text) => untag(JSON.parse(text)));
      if (type === "EVENT") found.data.unshift(name ?? Number(number));
    }
    const count = order.binary.length || null;
    if (attachments !== count) return `attachments: ${attachments} for ${count}`;
    const { nsp, id: ackId = null, data: given } = wanted;
    return difference(found, { type: PacketType[wanted.type], ns: nsp, id: ackId, data: given });
  },
};

/** What is written here the official decoder reads. A client sends no CONNECT_ERROR. */
export const write = {
  make(dice) {
    const types = [PacketType.EVENT, PacketType.EVENT, PacketType.EVENT, PacketType.ACK, PacketType.ACK];
    const wanted = packet(dice, [...types, PacketType.CONNECT, PacketType.DISCONNECT]);
    const { type, nsp, id, data } = wanted;
    const order = { do: "write socket.io", type: PacketType[type], ns: nsp, id };
    if (Array.isArray(data)) {
      const isEvent = type === PacketType.EVENT;
      // Ours has texts for names; a number is sent by nobody.
      if (isEvent) order.name = data[0] = String(data[0]);
      const tagged = encoder.encode({ ...wanted }).length > 1;
      if (tagged) order.tagged = "yes";
      order.args = data.slice(isEvent ? 1 : 0).map((value) => written(dice, value, tagged));
    } else if (data !== undefined) {
      order.data = written(dice, data);
    }
    return { order, wanted, kind: order.tagged ? `BINARY_${order.type}` : order.type };
  },
  check({ text, binary }, { wanted, kind }) {
    if (text[0] !== "4") return `${text} is no message of Engine.IO`;
    const announced = PacketType[Number(text[1])];
    if (announced !== kind) return `${announced} for ${kind}`;
    const found = officiallyRead([text.slice(1), ...binary.map((bytes) => Buffer.from(bytes, "base64"))]);
    return difference(found, wanted, { zeros: "have signs" });
  },
};

function officiallyRead(frames) {
  // Of its own accord it takes ten attachments.
  const decoder = new Decoder({ maxAttachments: limits.attachments });
  const packets = [];
  decoder.on("decoded", (packet) => packets.push(packet));
  for (const frame of frames) decoder.add(frame);
  if (packets.length !== 1) throw new Error(`${packets.length} packets for one`);
  const [{ type, nsp, id, data }] = packets;
  return { type, nsp, id, ...(data === undefined ? {} : { data }) };
}
