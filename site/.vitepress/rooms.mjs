/**
 * The API pages by room, for the sidebar.
 */
import { roomOf } from '../scripts/api.mjs'
import { publicModules, specifier } from '../scripts/modules.mjs'

/** All rooms, and on the pages of one its modules. */
export const rooms = () => {
  const files = publicModules()
  const names = [...new Set(files.map(roomOf))].filter((room) => room !== 'halforder').sort()
  const modules = (room) =>
    files
      .filter((file) => roomOf(file) === room && specifier(file) !== room)
      .map((file) => ({ text: specifier(file).slice(room.length + 1), link: `/api/${specifier(file)}` }))
  const list = (open) => [
    { text: 'API', link: '/api/' },
    { text: 'halforder', link: '/api/halforder' },
    ...names.map((room) => ({
      text: room,
      link: `/api/${room}/`,
      ...(room === open ? { items: modules(room) } : {})
    }))
  ]
  return Object.fromEntries([...names.map((room) => [`/api/${room}/`, list(room)]), ['/api/', list()]])
}
