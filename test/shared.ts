/** What all files of a run share: a folder for the packages, which are packed once. */
import { type Scratch, scratch } from './package/packed.js'

let shared: Scratch | undefined

/** Before the first file. */
export const setup = (): void => {
  shared = scratch('packed')
  process.env['HALFORDER_PACKED'] = shared.folder
}

/** After the last. */
export const teardown = (): void => shared?.remove()
