#!/usr/bin/env node
// The command's entry. In a checkout the compiled program may not be there yet: say how to make it.
import { existsSync } from 'node:fs'

const main = new URL('../dist/main.js', import.meta.url)

if (existsSync(main)) {
  await import(main.href)
} else {
  process.stderr.write('halforder: the program is not compiled yet\n  to do: npm run build\n')
  process.exitCode = 1
}
