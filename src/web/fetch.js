// One REST request for src/web/http.rs: `[status, body]`, or a rejection with a text that holds neither URL nor token.
//
// In JavaScript, since the browser decodes the text and times out by itself: 1 KB of the compressed wasm less.

/** `all` aborts every request of the instance. No cookies: the token is the only credential. */
export async function request(method, url, token, body, timeoutMs, maxBytes, all) {
  const controller = new AbortController();
  const stop = () => controller.abort();
  let reason;
  const timer = setTimeout(() => {
    reason = `no answer within ${timeoutMs} ms`;
    stop();
  }, timeoutMs);
  all.addEventListener("abort", stop);
  try {
    const headers = { Accept: "application/json" };
    if (token !== undefined) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const { signal } = controller;
    const work = fetch(url, { method, headers, body, credentials: "omit", cache: "no-store", signal });
    const response = await abortable(work, signal);
    const text = await bounded(response, maxBytes, signal);
    if (text === undefined) reason = `the answer is longer than ${maxBytes} bytes`;
    else return [response.status, text];
    stop();
    throw undefined;
  } catch (error) {
    throw reason ?? error?.name ?? "an exception";
  } finally {
    clearTimeout(timer);
    all.removeEventListener("abort", stop);
  }
}

/** The text of an answer; undefined where it is too long. */
async function bounded(response, maxBytes, signal) {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  for (let length = 0; reader; ) {
    const { value, done } = await abortable(reader.read(), signal);
    if (done) break;
    length += value.length;
    if (length > maxBytes) return undefined;
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/** A request is over when it is aborted, whatever the browser, or who stands in for it, makes of the signal. */
function abortable(work, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DOMException("", "AbortError"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
