/**
 * Which version of the program this is.
 *
 * @since 0.1.0
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import { packageFolder } from './Files.js'

const Package = t.type({ version: t.string })

/**
 * The version of the program.
 *
 * @category effects
 * @since 0.1.0
 */
export const version = (): string => {
  const found: unknown = JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'))
  return Package.is(found) ? found.version : 'unknown'
}
