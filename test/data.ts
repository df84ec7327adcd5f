/**
 * A folder of models of other tools to check importers against, which is not part of the project: that which `HALFORDER_DATA`
 * names, or `shared/data` beside the repository. Tests that need it are skipped by name where it is not there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as Npz from '../src/format/Npz.js'
import type { Values } from '../src/tensor/Program.js'

const beside = ['../../shared/data', '../../../shared/data'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url))
)

/** The folder, or nothing. */
export const folder: string | undefined = [process.env['HALFORDER_DATA'] ?? '', ...beside].find((path) =>
  existsSync(`${path}/torch/index.json`)
)

/** The bytes of a file of the folder. */
export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(`${folder ?? ''}/${path}`))

/** The JSON in a file of the folder. */
export const jsonOf = (path: string): unknown => JSON.parse(readFileSync(`${folder ?? ''}/${path}`, 'utf8'))

/** The arrays of an npz file of the folder. */
export const arraysOf = (path: string): Values => {
  const decoded = Npz.decode(bytesOf(path))
  if (E.isLeft(decoded)) throw new Error(`${path}: ${Npz.showError(decoded.left)}`)
  return decoded.right
}
