// The least that a page has to do until its first message is acknowledged. Who it is stands in the address.
import { createChat } from "chatwire";

const { url, userId, token, other } = Object.fromEntries(new URLSearchParams(location.search));
const chat = await createChat({ url, profile: "team", userId, token });
await chat.connect();
const { id } = await chat.createDirect(other);
const { key } = await chat.send(id, "hello");
const { status } = await chat.acknowledged(key);
document.title = status;
