import type { ChatOptions } from "chatwire";
import { ChatProvider, useChat, useConnection, useConversations } from "chatwire/react";
import { useState } from "react";
import { Button, FlatList, StyleSheet, Text, TextInput, View } from "react-native";
import { idOf, optionsOf } from "./backend";

export default function App() {
  const [options, setOptions] = useState<ChatOptions>();
  const [error, setError] = useState<string>();

  return (
    <View style={styles.page}>
      {options ? (
        <ChatProvider options={options}>
          <Connection />
          <Conversations />
        </ChatProvider>
      ) : (
        <Entry
          label="Your name"
          action="Sign in"
          onEnter={(name) => optionsOf(name).then(setOptions, (cause) => setError(String(cause)))}
        />
      )}
      {error && <Text role="alert">{error}</Text>}
    </View>
  );
}

/** A field and its button. */
function Entry(props: { label: string; action: string; onEnter(text: string): void; onType?(): void }) {
  const { label, action, onEnter, onType } = props;
  const [text, setText] = useState("");
  const enter = () => {
    if (text.trim() !== "") onEnter(text.trim());
    setText("");
  };
  const change = (next: string) => {
    setText(next);
    onType?.();
  };

  return (
    <View style={styles.row}>
      <TextInput
        style={styles.field}
        value={text}
        aria-label={label}
        placeholder={label}
        onChangeText={change}
        onSubmitEditing={enter}
      />
      <Button title={action} onPress={enter} />
    </View>
  );
}

function Connection() {
  const { state } = useConnection();
  return <Text role="status">{state}</Text>;
}

function Conversations() {
  const { conversations, createDirect } = useConversations();
  const [open, setOpen] = useState<string>();
  const [error, setError] = useState<string>();

  const talkTo = async (name: string) => {
    try {
      const { id } = await createDirect(await idOf(name));
      setOpen(id);
    } catch (cause) {
      setError(String(cause));
    }
  };

  return (
    <>
      <Entry label="Talk to" action="Open" onEnter={talkTo} />
      {error && <Text role="alert">{error}</Text>}
      <View style={styles.row}>
        {conversations.map(({ id, title, unread }) => (
          <Button key={id} title={unread > 0 ? `${title} (${unread})` : title} onPress={() => setOpen(id)} />
        ))}
      </View>
      {open && <Conversation id={open} />}
    </>
  );
}

function Conversation({ id }: { id: string }) {
  const { messages, sendMessage, hasEarlier, loadEarlier, isTyping, setTyping, error } = useChat(id);

  return (
    <>
      {hasEarlier && <Button title="Earlier" onPress={() => loadEarlier()} />}
      <FlatList
        data={messages}
        keyExtractor={({ rowKey }) => rowKey}
        renderItem={({ item: { sender, text, status } }) => (
          <Text role="listitem">
            {sender === "me" ? "I" : "they"}: {text} · {status}
          </Text>
        )}
      />
      {isTyping && <Text>typing…</Text>}
      {error && <Text role="alert">{error}</Text>}
      <Entry
        label="Message"
        action="Send"
        onEnter={(text) => sendMessage(text)}
        onType={() => setTyping(true)}
      />
    </>
  );
}

const styles = StyleSheet.create({
  page: { flex: 1, gap: 8, padding: 16, maxWidth: 640 },
  row: { flexDirection: "row", gap: 8 },
  field: { flex: 1, borderWidth: 1, padding: 8 },
});
