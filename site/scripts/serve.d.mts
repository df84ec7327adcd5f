import type { Server } from 'node:http'

/** A server of the site. */
export const server: () => Server
