// The five backends that the reference server has: where each one is, and what there is to do at it.
import type { ChatOptions } from "chatwire";
import type { MessageAction } from "chatwire/components";
import type { User } from "./session.js";

type ProfileName = "team" | "phoenix" | "companion" | "channels" | "assistant";

/** A conversation as a list shows it. */
type Offer = { id: string; title: string };

export type Backend = {
  profile: ProfileName;
  label: string;
  path: string;
  /** How a conversation begins: with people by their names, under an id of one's own, or not at all, where there is one only. */
  begins: "people" | "id" | "never";
  /** What such an id is called. */
  idLabel: string;
  idExample: string;
  /** Before each id, where it is shown. */
  idPrefix: string;
  /** Conversations that can be opened before anything is said in them. */
  offers: readonly Offer[];
  hint: string;
  /** What can be done with a message there. */
  actions: readonly MessageAction[];
  sendsPhotos: boolean;
  /** Messages name their senders by ids, and nothing else here tells their names. */
  hidesNames: boolean;
};

const usual = {
  begins: "people",
  idLabel: "",
  idExample: "",
  idPrefix: "",
  offers: [],
  hint: "",
  actions: ["react", "reply", "edit", "remove"],
  sendsPhotos: false,
  hidesNames: false,
} as const;

export const backends: readonly [Backend, ...Backend[]] = [
  { ...usual, profile: "team", label: "Team (Socket.IO, REST)", path: "/team" },
  {
    ...usual,
    profile: "phoenix",
    label: "Phoenix (Channels, REST)",
    path: "/phoenix",
    hint: "The same people and conversations as with the team.",
  },
  {
    ...usual,
    profile: "companion",
    label: "Companion (Socket.IO)",
    path: "/companion",
    begins: "id",
    idLabel: "Companion",
    idExample: "ada",
    offers: [
      { id: "luna", title: "Luna" },
      { id: "emma", title: "Emma" },
      { id: "max", title: "Max" },
    ],
    hint: "A script: each of them reads, types and answers. You may name another one.",
    actions: [],
    sendsPhotos: true,
  },
  {
    ...usual,
    profile: "channels",
    label: "Channels (Socket.IO)",
    path: "/channels",
    begins: "id",
    idLabel: "Channel",
    idExample: "news",
    idPrefix: "#",
    offers: [
      { id: "general", title: "#general" },
      { id: "random", title: "#random" },
    ],
    hint: "Say something in a channel: from then on you hear what others say there.",
    actions: ["reply"],
    hidesNames: true,
  },
  {
    ...usual,
    profile: "assistant",
    label: "Assistant (JSON)",
    path: "/assistant/ws",
    begins: "never",
    offers: [{ id: "assistant", title: "Assistant" }],
    hint: "A script. Speak of a reminder or a calendar, and see what it asks.",
    actions: [],
  },
];

export function backendOf(profile: string | null): Backend {
  return backends.find((backend) => backend.profile === profile) ?? backends[0];
}

/** The one after it, in a circle. */
export function nextBackend({ profile }: Backend): Backend {
  const at = backends.findIndex((backend) => backend.profile === profile);
  return backends[(at + 1) % backends.length] ?? backends[0];
}

/** What the client of this user at this backend is made of. */
export function optionsOf(backend: Backend, user: User): Pick<ChatOptions, "url" | "profile" | "userId"> {
  const { profile, path } = backend;
  // An assistant's address is that of the socket itself.
  const origin = profile === "assistant" ? location.origin.replace(/^http/, "ws") : location.origin;
  const userId = profile === "companion" ? String(user.number) : user.id;
  return { url: `${origin}${path}`, profile, userId };
}

/** What a conversation is called: backends that have no list of them tell no title. Undefined: by its members. */
export function titleOf(backend: Backend, id: string, title: string | undefined): string | undefined {
  const untitled = backend.begins === "people" ? undefined : `${backend.idPrefix}${id}`;
  return title || offeredTitle(backend, id) || untitled;
}

export function offeredTitle({ offers }: Backend, id: string): string | undefined {
  return offers.find((offer) => offer.id === id)?.title;
}
