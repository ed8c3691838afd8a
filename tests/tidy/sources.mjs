// The repository's own files, as tidy's rules see them.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Every file that is tracked, or would be with the next `git add`. */
export function allFiles() {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
  });
  return listed
    .toString("utf8")
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)))
    .sort();
}

export function read(path) {
  return readFileSync(join(root, path), "utf8");
}

export function size(path) {
  return readFileSync(join(root, path)).length;
}

/** Code that people write: not lock files, not what a generator wrote. */
export function codeFiles(...extensions) {
  return allFiles().filter(
    (path) => extensions.includes(path.split(".").at(-1)) && !path.startsWith("js/src/generated/"),
  );
}

/** A Rust file of tests by its name or folder. */
export function isTest(path) {
  return /(^|\/)(tests?|\w+_tests?)(\.rs$|\/)/.test(path);
}

/** Rust without comments and without its tests, which stand last in a file or in files of their own. */
export function productCode(path) {
  if (isTest(path)) return "";
  const text = read(path);
  const tests = /^#\[cfg\(test\)\]\n(?:#\[[^\n]*\n)*(?:pub(?:\([a-z]+\))? )?mod \w+ \{/m.exec(text);
  return (tests ? text.slice(0, tests.index) : text).replace(/\/\/.*$/gm, "");
}

/**
 * The functions of formatted Rust: `{name, line, lines}`. A body ends at the first `}` that stands as deep as its `fn`:
 * rustfmt guarantees it, and `npm test` runs rustfmt.
 */
export function rustFunctions(text) {
  const lines = text.split("\n");
  const found = [];
  lines.forEach((line, index) => {
    const head =
      /^( *)(?:pub(?:\([^)]*\))? )?(?:default )?(?:const )?(?:async )?(?:unsafe )?(?:extern "C" )?fn (\w+)/.exec(
        line,
      );
    if (!head) return;
    const [, indent, name] = head;
    for (let end = index; end < lines.length; end++) {
      // A declaration without a body, or a body on the line of its head.
      if (end === index && /[;}]$/.test(line)) break;
      if (lines[end].startsWith(`${indent})`) && lines[end].endsWith(";")) break;
      if (lines[end] === `${indent}}`) {
        found.push({ name, line: index + 1, lines: end - index + 1 });
        break;
      }
    }
  });
  return found;
}
