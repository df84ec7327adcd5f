/**
 * Where Redis is, by URL. What is secret in it is never shown.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { type Failure, usage } from '../edge/Failure.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where to connect. `shown` is it for people, without the password.
 *
 * @category model
 * @since 0.1.0
 */
export interface Address {
  readonly host: string
  readonly port: number
  readonly db: number
  readonly username?: string
  readonly password?: string
  readonly tls: boolean
  readonly shown: string
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const expected = '--redis: expected a URL such as redis://127.0.0.1:6379 or rediss://:PASSWORD@host:6379'

/** Addresses of this machine alone. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

/**
 * The address of a URL. Left: no URL of Redis, or one without a password that leads to another machine. It may hold a secret, so that
 * what is wrong is said without it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const address = (text: string): E.Either<Failure, Address> => {
  const parsed = E.tryCatch(
    () => new URL(text),
    () => usage(`${expected}; what was given is none`)
  )
  if (E.isLeft(parsed)) return parsed
  const { protocol, hostname, port, pathname, username, password } = parsed.right
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  const tls = protocol === 'rediss:'
  if ((protocol !== 'redis:' && !tls) || host === '') return E.left(usage(`${expected}; what was given is none`))
  if (!/^\/?\d{0,3}$/.test(pathname)) return E.left(usage(`${expected}; its path is no number of a database`))
  if (password === '' && !isLoopback(host)) {
    return E.left(
      usage(
        `--redis: expected a password where Redis is on another machine, got none for ${host}; ` +
          'set requirepass there and write rediss://:PASSWORD@host, or reach it by a tunnel to 127.0.0.1'
      )
    )
  }
  const at = port === '' ? 6379 : Number(port)
  return E.right({
    host,
    port: at,
    db: Number(pathname.slice(1)),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    tls,
    shown: `${host}:${at}`
  })
}
