declare module "@chatwire/test-servers/team" {
  import type { Namespace } from "socket.io";
  export type TeamServer = {
    url: string;
    faults: {
      refuseConnect(times?: number, code?: string, message?: string): void;
      refuseNext(times?: number, code?: string, message?: string): void;
      loseAck(times?: number): void;
      withholdAck(): void;
      releaseAcks(): number;
      readonly held: number;
      revoke(token: string): void;
      dropSockets(userId?: string): number;
    };
    log(conversationId: string): {
      client_message_id: string | null;
      seq: number;
      sender_id: string;
      status: string;
      content_encrypted: string;
    }[];
    of(name: string): Namespace;
    emit(event: string, ...args: unknown[]): void;
    restart(): Promise<void>;
    close(): Promise<void>;
  };
  export function startTeamServer(options?: {
    port?: number;
    plain?: boolean;
    prefix?: string;
    maxPayload?: number;
    namespace?: string;
    recovery?: boolean;
  }): Promise<TeamServer>;
}

declare module "@chatwire/test-servers/guides" {
  import type { Server } from "socket.io";

  type GuideServer = {
    io: Server;
    url: string;
    auths: Record<string, unknown>[];
    log: [string, unknown][];
    of(name: string): unknown[];
    tell(user: string | number, event: string, payload: unknown): void;
    drop(): void;
    close(): Promise<void>;
  };
  export function startCompanionServer(): Promise<
    GuideServer & { say(user: number, girlId: string | number, content: string, more?: object): void }
  >;
  export function startChannelsServer(): Promise<
    GuideServer & { revoke(token: string): void; refuseNext(times: number): void }
  >;
  export function startAssistantServer(): Promise<{
    url: string;
    state: { silent: boolean };
    log: { type: string; [name: string]: unknown }[];
    addresses: string[];
    of(type: string): { [name: string]: unknown }[];
    say(content: string, more?: object): void;
    drop(): void;
    close(): Promise<void>;
  }>;
}

declare module "@chatwire/test-servers/reference" {
  export type ReferenceUser = { id: string; name: string; number: number };
  type Wires = Record<"companion" | "channels" | "assistant", string>;
  type ReferenceServer = Wires & {
    url: string;
    phoenix: string;
    plain: Wires;
    login(name: string): Promise<{ token: string; user: ReferenceUser }>;
    disarm(): Promise<unknown>;
    log(conversation: string): Promise<{ id: string; sender_id: string; text: string }[]>;
    close(): Promise<unknown>;
  };
  export function startReference(args?: string[]): Promise<ReferenceServer>;
}
