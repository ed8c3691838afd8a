declare module "@chatwire/test-servers/companion" {
  import type { WireOptions, WireServer } from "@chatwire/test-servers/wires";
  export type CompanionRecord = {
    id: number;
    girl_id: string | number;
    content: string;
    sender: "user" | "girl";
    type: string;
    client_id?: string;
    read?: true;
  };
  export type CompanionServer = WireServer & {
    log(userId: string, girlId: string | number): Answer<CompanionRecord[]>;
    says(userId: string, girlId: string | number, content: string, rest?: object): Answer<CompanionRecord>;
    types(userId: string, girlId: string | number, isTyping: boolean): unknown;
    reads(userId: string, girlId: string | number, messageId: number): unknown;
  };
  type Answer<T> = T | Promise<T>;
  export function startCompanionServer(options?: WireOptions & { echo?: boolean }): Promise<CompanionServer>;
}

declare module "@chatwire/test-servers/channels" {
  import type { WireOptions, WireServer } from "@chatwire/test-servers/wires";
  export type ChannelsRecord = {
    id: string;
    content: string;
    channelId: string;
    userId: string;
    createdAt: string;
    delivered: string[];
    read: string[];
  };
  export type ChannelsServer = WireServer & {
    log(channelId: string): ChannelsRecord[] | Promise<ChannelsRecord[]>;
  };
  export function startChannelsServer(options?: WireOptions): Promise<ChannelsServer>;
}

/** What both have: in this process they answer at once, in another one with promises. */
declare module "@chatwire/test-servers/wires" {
  export type WireOptions = { port?: number; plain?: boolean; prefix?: string; maxPayload?: number };
  export type WireServer = {
    url: string;
    faults: {
      refuseConnect(times?: number, code?: string, message?: string): unknown;
      refuseNext(times?: number, code?: string, message?: string): unknown;
      loseAck(times?: number): unknown;
      dropBeforeStore(times?: number): unknown;
      dropAfterStore(times?: number): unknown;
      revoke(token: string): unknown;
      dropSockets(userId?: string): unknown;
    };
    auths(): Answer<object[]>;
    heard(event: string): Answer<unknown[]>;
    refused(): Answer<{ event: string; why: string }[]>;
    emit(userId: string | null, event: string, ...args: unknown[]): unknown;
    close(): Promise<void>;
    open(): Promise<unknown>;
    restart(): Promise<void>;
  };
  type Answer<T> = T | Promise<T>;
}

declare module "@chatwire/test-servers/python" {
  import type { ChannelsServer } from "@chatwire/test-servers/channels";
  import type { CompanionServer } from "@chatwire/test-servers/companion";

  type Wires = { companion: CompanionServer; channels: ChannelsServer; team: TeamOnPython };
  type TeamOnPython = Pick<CompanionServer, "url" | "close" | "faults" | "refused"> & {
    log(conversationId: string): Promise<{ content_encrypted: string; client_message_id: string | null }[]>;
  };
  export function preparePython(): Promise<void>;
  export function startPython<W extends keyof Wires>(
    wire: W,
    options?: { plain?: boolean; prefix?: string },
  ): Promise<Omit<Wires[W], "open" | "restart">>;
}
