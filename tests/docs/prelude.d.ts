// What the pages name and an application has: its own values, and a package that is not installed here.
declare const chat: import("chatwire").ChatClient;
declare const url: string;
declare const userId: string;
declare const token: string;
declare const getToken: () => Promise<string>;
declare const conversationId: string;

// docs/guides/assistant.md, companion.md, channels.md
declare const button: HTMLButtonElement;
declare const girlId: string;
declare const channelId: string;
declare const freshToken: () => Promise<string>;

declare module "react-native" {
  export const Button: import("react").ComponentType<{ title: string; onPress(): void }>;
  export const Text: import("react").ComponentType<{ children?: import("react").ReactNode }>;
  export const TextInput: import("react").ComponentType<{
    placeholder?: string;
    value: string;
    onChangeText(text: string): void;
  }>;
  export const View: import("react").ComponentType<{ children?: import("react").ReactNode }>;
}
