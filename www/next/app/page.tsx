import { Chat } from "./chat";

// Rendered on the server: the hooks give their empty state there, and the browser takes over.
export default function Page() {
  return (
    <main>
      <h1>chatwire</h1>
      <Chat />
    </main>
  );
}
