// A page of `npm run figures`: does one thing, which its address names, and posts what it has measured. Nobody watches it
// meanwhile.
import { calm } from "./calm.js";

const { mode, ...order } = JSON.parse(decodeURIComponent(location.hash.slice(1)));

async function result() {
  try {
    const { run } = await import(`./${mode}.js`);
    if (mode !== "fill") await calm();
    return await run(order);
  } catch (error) {
    return { error: `${mode}: ${error?.stack ?? error}` };
  }
}

await fetch("/result", { method: "POST", body: JSON.stringify(await result()) });
