/** A Redis of the test's own, where there is one to start. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Is `redis-server` installed? Tests that need it are skipped by name where it is not. */
export const installed = spawnSync('redis-server', ['--version']).status === 0

export interface RedisProcess {
  readonly url: string
  /** Ends it at once, as a machine does that loses its power. */
  readonly kill: () => Promise<void>
  readonly start: () => Promise<void>
  readonly remove: () => Promise<void>
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Starts one, which keeps what it is told in a file, on a port of this machine alone. */
export const startRedis = async (): Promise<RedisProcess> => {
  const folder = mkdtempSync(join(tmpdir(), 'halforder-redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const own = spawn(
      'redis-server',
      ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''],
      { stdio: ['ignore', 'pipe', 'ignore'] }
    )
    child = own
    await new Promise<void>((resolve, reject) => {
      own.on('error', reject)
      own.stdout.on('data', (text) => {
        if (String(text).includes('Ready to accept connections')) resolve()
      })
    })
  }
  const kill = async (): Promise<void> => {
    const own = child
    child = undefined
    if (own === undefined) return
    own.kill('SIGKILL')
    await once(own, 'close')
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    remove: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
