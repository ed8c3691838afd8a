// A page of `npm run bench`: does one work by one contender, which its address names, reloads, looks what is in the store, and
// posts what it has measured. Nobody watches it meanwhile.
import { calm } from "../../e2e/page/figures/calm.js";
import { problemOf } from "./check.js";
// Before any wasm is there.
import "./memory.js";
import { watchTasks } from "./tasks.js";
import { burst, catchUp, flush, memory, rows, send, start, tab } from "./works.js";

const works = { burst, catchUp, start, flush, send, memory, rows, tab };

const order = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const load = () => import(`./contenders/${order.contender}.js`);

async function main() {
  const before = sessionStorage.getItem("result");
  if (before !== null) {
    const { stored } = await load();
    return { ...JSON.parse(before), problem: problemOf(await stored(order), order) };
  }
  const work = works[order.work];
  if (order.work === "stored") {
    const { stored } = await load();
    return { problem: problemOf(await stored(order), order) };
  }
  // A start is timed from its first import on.
  const contender = order.work === "start" ? load : await load();
  const tasks = watchTasks();
  const result = { ...(await work(contender, order, calm)), ...tasks() };
  if (order.isChecked === false) return { ...result, problem: null };
  sessionStorage.setItem("result", JSON.stringify(result));
  location.reload();
}

const result = await main().catch((error) => ({ error: String(error?.stack ?? error) }));
if (result) await fetch("/result", { method: "POST", body: JSON.stringify(result) });
