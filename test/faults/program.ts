/** The built program in processes of its own, in folders of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { sha256 } from '../../cli/command/run/RunFolder.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import { root } from '../package/sources.js'

export const program = join(root, 'cli', 'bin', 'halforder.js')

/** The time of the last change of a source below some folders, and of their configurations. */
const changed = (folders: ReadonlyArray<string>): number =>
  Math.max(
    ...folders
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path))
      )
      .filter((path) => path.endsWith('.ts') && !/(?:^|[\\/])(?:dist|node_modules)[\\/]/.test(path))
      .concat('tsconfig.json', 'tsconfig.build.json', join('cli', 'tsconfig.build.json'), 'package.json')
      .map((path) => statSync(join(root, path)).mtimeMs)
  )

/** Was everything compiled after the last change? The last files that are written tell. */
const isBuilt = (): boolean => {
  const made = [join('dist', 'src', 'index.js'), join('dist', 'laws', 'index.js'), join('cli', 'dist', 'main.js')]
  const last = changed(['src', 'laws', 'cli'])
  return made.every((path) => existsSync(join(root, path)) && statSync(join(root, path)).mtimeMs > last)
}

/** Compiles the library and the program, unless nothing has changed since. */
export const build = (): void => {
  if (isBuilt()) return
  for (const config of ['tsconfig.build.json', join('cli', 'tsconfig.build.json')]) {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', join(root, config)], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${config} does not compile:\n${stdout}`)
  }
}

// -------------------------------------------------------------------------------------
// processes
// -------------------------------------------------------------------------------------

export interface Ended {
  /** undefined: a signal ended it */
  readonly code: number | undefined
  readonly out: string
  readonly err: string
  readonly seconds: number
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

export interface How {
  readonly cwd?: string
  /** A command and arguments that the program runs under. */
  readonly under?: ReadonlyArray<string>
  /** What is run in place of the program. */
  readonly program?: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  /** The program is killed after so many milliseconds: it hangs. */
  readonly patience?: number
}

/** Starts the program. */
export const start = (
  args: ReadonlyArray<string>,
  { cwd = tmpdir(), under = [], program: own = [process.execPath, program], env = {}, patience = 120_000 }: How = {}
): Started => {
  const [command = process.execPath, ...rest] = [...under, ...own, ...args]
  const began = performance.now()
  const child = spawn(command, rest, { cwd, env: { ...process.env, TERM: 'dumb', ...env } })
  const seen = { out: '', err: '' }
  child.stdout.on('data', (text) => (seen.out += String(text)))
  child.stderr.on('data', (text) => (seen.err += String(text)))
  for (const stream of [child.stdout, child.stderr]) stream.on('error', () => undefined)
  const hangs = setTimeout(() => child.kill('SIGKILL'), patience)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(hangs)
      resolve({ code: code ?? undefined, ...seen, seconds: (performance.now() - began) / 1000 })
    })
  })
  return { child, ended }
}

/** Runs the program to its end. */
export const run = (args: ReadonlyArray<string>, how: How = {}): Promise<Ended> => start(args, how).ended

// -------------------------------------------------------------------------------------
// folders
// -------------------------------------------------------------------------------------

/** A folder that is there while the tests of a file run. */
export const scratch = (name: string): { readonly path: string; readonly remove: () => void } => {
  const path = mkdtempSync(join(tmpdir(), `halforder-${name}-`))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Numbers that are times, and where the folder is: all else of two equal runs is the same. */
const passing = /"(?:seconds|computingOfStep|folder)":\s*(?:[0-9.e-]+|"[^"]*"),?/g

/** What a folder holds, a digest a file. */
export const contents = (folder: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => {
        const bytes = readFileSync(join(folder, name))
        const told = /\.jsonl?$/.test(name) ? bytes.toString('utf8').replaceAll(passing, '') : bytes
        return [name, createHash('sha256').update(told).digest('hex')]
      })
  )

// -------------------------------------------------------------------------------------
// small runs
// -------------------------------------------------------------------------------------

const small = { task: 'points', chain: { T: 4 }, batch: 4, evaluationSamples: 8 }

/** A fine-tune of many steps in little time, with a checkpoint after each, in a folder. */
export const finetuneIn = (base: string, folder: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> => {
  const config = join(base, 'config.json')
  if (!existsSync(config)) writeFileSync(config, JSON.stringify(small))
  return ['finetune', '--config', config, '--steps', '40', '--save-every', '0', '--out', folder, ...more]
}

export const resumed = (folder: string): ReadonlyArray<string> => ['finetune', '--resume', folder, '--save-every', '0']

/** A training of many steps in little time, with a checkpoint after each, in a folder. */
export const pretrainIn = (folder: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...'pretrain moons --task points --steps 60 --batch 16 --examples 64 --save-every 0 --out'.split(' '),
  folder,
  ...more
]

export const hasCheckpoint = (folder: string): boolean => existsSync(join(folder, 'checkpoint.safetensors'))

/** The step of the checkpoint in a folder, if there is one. */
export const stepIn = (folder: string): number | undefined => {
  if (!hasCheckpoint(folder)) return undefined
  const decoded = Checkpoint.decode(sha256)(readFileSync(join(folder, 'checkpoint.safetensors')))
  if (decoded._tag === 'Left') throw new Error(`${folder}: ${Checkpoint.showError(decoded.left)}`)
  return decoded.right.checkpoint.step
}

export const newFolder = (base: string, name: string): string => {
  const path = join(base, name)
  mkdirSync(path, { recursive: true })
  return path
}

/**
 * What a test of random moments says of its draws, so that it can be repeated: a generator from a seed (Park and
 * Miller, 1988).
 */
export const uniform = (seed: number): (() => number) => {
  let state = seed
  return () => (state = (state * 48271) % 2147483647) / 2147483647
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resume) => {
    setTimeout(resume, milliseconds)
  })
