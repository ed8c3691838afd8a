import { createChat } from "/chatwire/dist/index.js";

export async function open({ url, userId, token, conversationId, count }) {
  const chat = await createChat({ url, profile: "team", userId, token });
  await chat.connect();
  const timeline = chat.timeline(conversationId);
  await new Promise((resolve) => {
    const look = () => {
      const { messages } = timeline.getSnapshot();
      for (const { text } of messages) seen.texts.add(text);
      if (seen.texts.size >= count) resolve();
    };
    timeline.subscribe(look);
    look();
  });
}
