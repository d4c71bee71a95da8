// Usage: node check.mjs FILE...
// Prints every error and warning of the Khronos validator as one line; the exit code is 1 if there
// was any.
import { readFileSync } from 'node:fs';
import { validateBytes } from 'gltf-validator';

let problems = 0;
for (const file of process.argv.slice(2)) {
  const report = await validateBytes(new Uint8Array(readFileSync(file)), { uri: file });
  for (const issue of report.issues.messages.filter((issue) => issue.severity < 2)) {
    console.log(`${file}: ${issue.code} at ${issue.pointer ?? issue.offset}: ${issue.message}`);
  }
  const { numErrors, numWarnings, numInfos } = report.issues;
  console.log(`${file}: ${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos`);
  problems += numErrors + numWarnings;
}
process.exit(problems === 0 ? 0 : 1);
