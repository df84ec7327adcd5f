/**
 * Which browser is driven, and how.
 */
import { existsSync } from 'node:fs'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser that `CHROMIUM` names, or where distributions put it. */
export const browserPath = () => {
  const found = [process.env.CHROMIUM ?? '', ...places].find((path) => path !== '' && existsSync(path))
  if (found === undefined) throw new Error('chromium is not installed (apt-get install chromium)')
  return found
}

/** WebGPU is emulated on machines without a GPU; nothing of the browser's own goes out. */
export const flags = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
