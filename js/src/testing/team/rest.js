// The REST half (T6 to T13, D3 to D5): a table of routes, without any network.
import { invalid, notFound, TeamError } from "./errors.js";
import { userOf } from "./sockets.js";

export function teamRoutes(hub) {
  return [...apiRoutes(hub), ...openRoutes()];
}

/**
 * Answers one request by `give(status, body)`: at once, later, or never where an answer is lost.
 * @param request `{method, url, token, readBody(), cut()}`; `url` is path and query, `cut` ends it without an answer.
 */
export async function answerRest(routes, { hub, prefix }, request, give) {
  try {
    const url = new URL(request.url, "http://local");
    const { route, params } = find(routes, request.method, url.pathname, prefix);
    const me = route.open ? null : userOf(request.token, hub.faults);
    const body = await request.readBody();
    const { cut } = request;
    const answer = await route.handle({ me, params, body, query: url.searchParams, give, cut });
    if (answer) give(...answer);
  } catch (error) {
    const known = error instanceof TeamError ? error : new TeamError("ServerError", "internal error");
    if (known !== error) console.error(error);
    give(known.status, { error: known });
  }
}

function apiRoutes(hub) {
  const { state } = hub;
  const conversation = (me, c) => ({ conversation: state.view(c, me) });
  const told = (me, c, also) => {
    hub.conversationUpdated(c, also);
    return conversation(me, c);
  };
  const table = {
    "POST /api/conversations/direct": ({ me, body }) => [201, told(me, state.createDirect(me, body.user_id))],
    "POST /api/conversations/group": ({ me, body }) => [
      201,
      told(me, state.createGroup(me, body.title, body.participant_ids)),
    ],
    "GET /api/conversations": ({ me }) => [
      200,
      { conversations: state.conversationsOf(me).map((c) => state.view(c, me)), has_more: false },
    ],
    "GET /api/conversations/:id": ({ me, params }) => [
      200,
      conversation(me, state.conversation(me, params.id)),
    ],
    "POST /api/conversations/:id/participants": ({ me, params, body }) => [
      201,
      told(me, state.addParticipant(me, params.id, body.user_id)),
    ],
    "DELETE /api/conversations/:id/participants/:userId": ({ me, params }) => {
      const changed = state.removeParticipant(me, params.id, params.userId);
      return [200, told(me, changed, [params.userId])];
    },
    "GET /api/messages/:id": ({ me, params, query }) => {
      const page = state.page(me, params.id, window(query));
      return [200, { ...page, messages: page.messages.map((m) => state.row(m, me)) }];
    },
    "POST /api/messages": ({ me, body, give, cut }) => {
      hub.send(me, requestOf(body), {
        answer: (message, duplicate) =>
          give(duplicate ? 200 : 201, { message, ...(duplicate && { duplicate }) }),
        cut,
      });
    },
    "PATCH /api/messages/:id": ({ me, params, body }) => {
      const message = state.edit(me, params.id, body.content_encrypted);
      hub.updated(me, message);
      return [200, { message: state.row(message, me) }];
    },
    "DELETE /api/messages/:id": ({ me, params }) => {
      hub.deleted(me, state.remove(me, params.id));
      return [204];
    },
    "POST /api/messages/:id/status": ({ me, params, body }) => {
      return [200, { message: state.row(hub.mark(me, params.id, body.status), me) }];
    },
    "POST /api/messages/:id/reactions": ({ me, params, body }) => {
      const { message, changed } = state.react(me, params.id, body.emoji);
      if (changed) hub.reacted(me, message, body.emoji, "add");
      return [201, { message: state.row(message, me) }];
    },
    "DELETE /api/messages/:id/reactions/:emoji": ({ me, params }) => {
      if (state.plain) throw notFound("route");
      hub.reacted(me, state.unreact(me, params.id, params.emoji), params.emoji, "remove");
      return [204];
    },
  };
  return Object.entries(table).map(([name, handle]) => toRoute(name, handle, false));
}

/** What needs no token: the login that a demo needs (D5). */
function openRoutes() {
  const table = {
    "POST /auth/login": ({ body }) => {
      if (typeof body.name !== "string" || !/^[^#]+$/.test(body.name))
        throw invalid("name", "a name without #");
      const user = { id: body.name, name: body.name };
      return [200, { token: `user:${body.name}`, user, expires_in: 3600 }];
    },
  };
  return openTable(table);
}

/** Routes that need no token, of `{"METHOD /path": handle}`. */
export function openTable(table) {
  return Object.entries(table).map(([name, handle]) => toRoute(name, handle, true));
}

function toRoute(name, handle, open) {
  const [method, path] = name.split(" ");
  return { method, segments: path.split("/").slice(1), handle, open };
}

function find(routes, method, pathname, prefix) {
  if (!pathname.startsWith(prefix)) throw notFound("route");
  const given = pathname.slice(prefix.length).split("/").slice(1).map(decode);
  for (const route of routes) {
    if (route.method !== method || route.segments.length !== given.length) continue;
    if (!route.segments.every((s, i) => s === given[i] || (s.startsWith(":") && given[i] !== ""))) continue;
    const named = route.segments.map((s, i) => [s, given[i]]).filter(([s]) => s.startsWith(":"));
    return { route, params: Object.fromEntries(named.map(([s, value]) => [s.slice(1), value])) };
  }
  throw notFound("route");
}

function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid("path", "not percent-encoded UTF-8");
  }
}

function window(query) {
  return {
    limit: whole(query, "limit", 50, 1, 100),
    offset: whole(query, "offset", 0, 0),
    after: query.has("after") ? whole(query, "after", 0, 0) : undefined,
  };
}

function whole(query, name, fallback, least, most = Number.MAX_SAFE_INTEGER) {
  if (!query.has(name)) return fallback;
  const value = Number(query.get(name));
  if (!Number.isInteger(value) || value < least) throw invalid(name, `a whole number, ${least} or more`);
  return Math.min(value, most);
}

function requestOf(body) {
  return {
    conversationId: body.conversation_id,
    content: body.content_encrypted,
    key: body.client_message_id,
    type: body.message_type,
    replyTo: body.reply_to,
    metadata: body.metadata,
  };
}
