import type { ChatOptions } from "chatwire";

const backend = process.env.EXPO_PUBLIC_BACKEND ?? "http://127.0.0.1:8787";

/** Signs in at the reference backend, which takes any name; a backend of your own has its own way. */
async function signIn(name: string): Promise<{ token: string; user: { id: string } }> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name });
  const response = await fetch(`${backend}/auth/login`, { method: "POST", headers, body });
  if (!response.ok) throw new Error(`the backend answered ${response.status}`);
  return response.json();
}

/** What makes the client of this user. */
export async function optionsOf(name: string): Promise<ChatOptions> {
  const { user } = await signIn(name);
  const getToken = async () => (await signIn(name)).token;
  return { url: `${backend}/team`, profile: "team", userId: user.id, getToken };
}

/** The user id of somebody else. */
export async function idOf(name: string): Promise<string> {
  return (await signIn(name)).user.id;
}
