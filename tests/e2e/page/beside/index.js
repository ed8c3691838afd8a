// A tab of `npm run beside`: the newest 50 messages of one conversation, and those that arrive, by one client or another.
// `seen` says what it shows.
globalThis.seen = { isOpen: false, texts: new Set() };

const { client, ...options } = JSON.parse(decodeURIComponent(location.hash.slice(1)));

if (client !== "none") await (await import(`./${client}.js`)).open(options);
seen.isOpen = true;
