/**
 * The package as a stranger gets it: compiled, packed, unpacked into a project of its own. Dependencies are linked, so no
 * network is needed; nothing in the checkout is written to.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../package/sources.js'

const Manifest = t.type({ files: t.array(t.string), dependencies: t.record(t.string, t.string) })

const Answers = t.type({
  right: t.string,
  rightSteps: t.array(t.string),
  wrong: t.string,
  wrongSteps: t.array(t.string)
})

const decode = <A>(codec: t.Type<A, unknown, unknown>, text: string): A => {
  const decoded = codec.decode(JSON.parse(text))
  if (decoded._tag === 'Left') throw new Error(`${codec.name}: unexpected ${text}`)
  return decoded.right
}

const folder = mkdtempSync(join(tmpdir(), 'stranger-'))
const project = join(folder, 'project')
const modules = join(project, 'node_modules')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

/** What a program wrote to stdout; a failure tells both streams. */
const output = (program: string, args: ReadonlyArray<string>, cwd: string): string => {
  const shell = process.platform === 'win32' && program === 'npm'
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', shell })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

const node = (...args: ReadonlyArray<string>): string => output(process.execPath, args, project)

const link = (name: string): void => {
  mkdirSync(dirname(join(modules, name)), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction')
}

beforeAll(() => {
  const stage = join(folder, 'stage')
  mkdirSync(stage)
  mkdirSync(modules, { recursive: true })
  const { files, dependencies } = decode(Manifest, readFileSync(join(root, 'package.json'), 'utf8'))
  const given = files.filter((path) => !path.startsWith('!') && !path.startsWith('dist'))
  for (const path of ['package.json', ...given]) {
    if (existsSync(join(root, path))) cpSync(join(root, path), join(stage, path), { recursive: true })
  }
  const build = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(stage, 'dist')]
  output(process.execPath, [tsc, ...build], root)
  output('npm', ['pack', '--ignore-scripts', '--silent'], stage)
  const { version } = decode(t.type({ version: t.string }), readFileSync(join(stage, 'package.json'), 'utf8'))
  output('tar', ['-xzf', join(stage, `halforder-${version}.tgz`)], folder)
  renameSync(join(folder, 'package'), join(modules, 'halforder'))
  Object.keys(dependencies).forEach(link)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', type: 'module', private: true }))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a project that has the tarball only', () => {
  test('verifies an estimator from the command line, without the optional peer', () => {
    writeFileSync(
      join(project, 'model.json'),
      JSON.stringify({
        kind: 'tanh',
        T: 2,
        alpha: 0.9,
        theta: [0.3, 0.1],
        sigma: 0.5,
        reward: { kind: 'quadratic', m: 1 }
      })
    )
    writeFileSync(join(project, 'estimator.json'), JSON.stringify({ name: 'segmented', h: 1 }))
    const bin = join('node_modules', 'halforder', 'bin', 'halforder.js')
    const files = ['--model', 'model.json', '--estimator', 'estimator.json']
    expect(existsSync(join(modules, 'fast-check'))).toBe(false)
    const out = node(bin, 'verify', ...files, '--samples', '500', '--json')
    expect(JSON.parse(out)).toMatchObject({ verdict: 'unbiased', target: 'J', unpaidSteps: [] })
  })

  test('is told which step of its chain breaks which law', () => {
    link('fast-check')
    link('@types/node')
    cpSync(join(root, 'test', 'stranger', 'Gains.ts'), join(project, 'Gains.ts'))
    // the declarations that were packed type check a stranger's program
    node(tsc, '--module', 'nodenext', '--target', 'es2022', '--strict', '--skipLibCheck', '--types', 'node', 'Gains.ts')
    const { right, rightSteps, wrong, wrongSteps } = decode(Answers, node('Gains.js'))
    expect(right).toBe('holds')
    expect(rightSteps).toEqual(['holds', 'holds', 'holds', 'holds'])
    expect(wrong).toContain('gains: the score is the gradient of the log-density: refuted')
    expect(wrong).toMatch(/step 3, params\.theta\[\d\]: expected .*, got /)
    expect(wrong).not.toMatch(/step [124], params/)
    expect(wrongSteps.map((answer) => answer === 'holds')).toEqual([true, true, false, true])
    expect(wrongSteps[2]).toMatch(/adjoint.*step 3|step 3.*adjoint/s)
  })
})
