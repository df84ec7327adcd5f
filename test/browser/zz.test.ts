import { test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { executable, open } from './browser.js'
import { cases } from './cases.js'
test('x', async () => {
  const b = await open(executable() ?? '')
  const lines: string[] = []
  const modes = (process.env['MODES'] ?? 'webgpu,webgl2').split(',')
  for (const mode of modes) for (const name of Object.keys(cases)) {
    if (process.env['ONLY'] && !name.includes(process.env['ONLY'])) continue
    const t = performance.now()
    const r = await Promise.race([b.page.evaluate(async ([m, n]) => {
      try { return JSON.stringify(await (globalThis as any).halforder.agreement(m, n), (_k, v) => typeof v === 'number' && !Number.isFinite(v) ? String(v) : v) } catch (e) { return 'ERR ' + String((e as any).message).slice(0, Number(1500)) }
    }, [mode, name] as const), new Promise((r) => setTimeout(() => r('TIMEOUT'), 60000))])
    lines.push(`${mode} | ${name} | ${(performance.now() - t).toFixed(0)} ms | ${r} ${b.complaints.splice(0).slice(0,2).join(' ## ').slice(0, 1200)}`)
    writeFileSync('/tmp/zz.out', lines.join('\n'))
  }
  await b.close()
}, 600000)
