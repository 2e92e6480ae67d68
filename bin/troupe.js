#!/usr/bin/env node
/**
 * Starts the `troupe` command. Plain JavaScript that an old Node can read, so that whoever runs one is
 * told what is missing, instead of getting a syntax error. All else is left to src/cli/main.ts.
 */
const required = 24;
const found = process.versions.node;

if (Number.parseInt(found, 10) < required) {
  process.stderr.write(
    `troupe needs Node ${required} or newer and this is Node ${found}: run "npm install node@${required}" in your project and start it with "npx troupe", or get Node from https://nodejs.org\n`,
  );
  process.exitCode = 1;
} else {
  await import('../dist/cli/main.js');
}
