// The code that stands in a page: fenced blocks, each with the line of the page at which its text begins.
import { posix } from "node:path";

const scripts = new Set(["js", "jsx", "ts", "tsx"]);
const others = new Set(["html", "json", "sh", "text"]);

/** @returns {{ language: string, line: number, text: string }[]} what stands between the fences of `page`, a text of Markdown. */
export function blocksIn(page) {
  const blocks = [];
  let open = null;
  for (const [at, line] of page.split("\n").entries()) {
    const [, indent, fence, language] = /^( *)(`{3,})(.*)$/.exec(line) ?? [];
    if (open && fence === open.fence && language === "") {
      blocks.push({ language: open.language, line: open.line, text: open.lines.join("\n") });
      open = null;
    } else if (open) {
      open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (fence) {
      open = { indent, fence, language: language.trim(), line: at + 2, lines: [] };
    }
  }
  if (open) throw new Error(`line ${open.line - 1}: a block that does not end`);
  return blocks;
}

/**
 * The files that a compiler is given for `page`, in a folder of its own. Each line stands where it stands in the page, so that a
 * diagnostic names the page's own line. A block whose first line names its file, as readers copy it, is called so, and others
 * may import it; what is no script is checked here.
 * @returns {{ files: { path: string, text: string }[], wrong: string[] }}
 */
export function filesOf(name, page) {
  const files = [];
  const wrong = [];
  for (const { language, line, text } of blocksIn(page)) {
    const refuse = (why) => wrong.push(`${name}:${line}: ${why}`);
    const add = (path, text, line) => {
      if (files.some((file) => file.path === path)) return refuse(`a second ${path} on one page`);
      files.push({ path, text: `${"\n".repeat(line - 1)}${text}\nexport {};\n` });
    };
    if (scripts.has(language)) add(nameIn(text) ?? `line-${line}.${language}`, text, line);
    else if (language === "html") for (const script of scriptsIn(text, line)) add(...script);
    else if (language === "json") refuseUnless(() => JSON.parse(text), refuse);
    else if (!others.has(language)) refuse(`a block of ${language || "no language"}`);
  }
  return { files, wrong };
}

function nameIn(text) {
  const [, name] = /^\/\/ ([\w./-]+\.[jt]sx?)\b/.exec(text) ?? [];
  return name === undefined ? undefined : posix.normalize(name);
}

function scriptsIn(html, line) {
  return [...html.matchAll(/<script type="module">(.*?)<\/script>/gs)].map(({ 1: text, index }) => {
    const before = html.slice(0, index).split("\n").length - 1;
    return [`line-${line + before}.js`, text, line + before];
  });
}

function refuseUnless(read, refuse) {
  try {
    read();
  } catch (error) {
    refuse(String(error.message));
  }
}
